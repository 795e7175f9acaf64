"""The shape of each cell: a star-convex outline that changes slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samcell_live.simulation.randomness import trait

if TYPE_CHECKING:
    from samcell_live.simulation.cells import Cells, Floats

N_ANGLES = 128
LONGEST_UM = 100.0
"""No outline reaches further from the cell's centre."""

N_PROTRUSIONS = 5
WAVES = np.arange(2, 14)
"""Lobes of the outline: the first are its form, the last its ruffled edge."""
WAVE_HEIGHT = np.where(WAVES < 5, 0.16 / WAVES, 0.12 / WAVES)


def outlines_um(cells: Cells, hours: float) -> Floats:
    """Trace every cell.

    Parameters
    ----------
    cells : Cells
        Their area, heading and roundness are met.
    hours : float
        Culture time; protrusions grow and shrink within hours.

    Returns
    -------
    (n_cells, N_ANGLES) float64
        Distance from the centre to the edge, at angles counted from +x towards +y.
    """
    angle = np.arange(N_ANGLES) * (2 * np.pi / N_ANGLES)
    angle = angle - cells.heading_rad[:, None]
    form = np.log(_ellipse(cells, angle)) + _lobes(cells, angle, hours)
    form = np.exp(form) * (1 + _protrusions(cells, angle, hours))
    form = form ** (1 - cells.roundness[:, None])
    unit_area = np.pi * np.mean(form**2, axis=1)
    radius_um = form * np.sqrt(cells.area_um2 / unit_area)[:, None]
    return np.minimum(radius_um, LONGEST_UM)


def _ellipse(cells: Cells, angle: Floats) -> Floats:
    aspect = 1.0 + 1.2 * trait(cells.identity, 0)[:, None] ** 1.3
    return (np.cos(angle) ** 2 / aspect + np.sin(angle) ** 2 * aspect) ** -0.5


def _lobes(cells: Cells, angle: Floats, hours: float) -> Floats:
    lobes = np.zeros_like(angle)
    for wave, height in zip(WAVES, WAVE_HEIGHT, strict=True):
        phase = _wandering(cells, 10 + 3 * int(wave), hours)[:, None]
        strength = 2 * trait(cells.identity, 12 + 3 * int(wave))[:, None]
        lobes += height * strength * np.cos(wave * angle + phase)
    return lobes


def _protrusions(cells: Cells, angle: Floats, hours: float) -> Floats:
    """Tips with hollow flanks; the first two lie at the ends of the long axis."""
    reach = np.zeros_like(angle)
    for k in range(N_PROTRUSIONS):
        purpose = 100 + 10 * k
        where = 2 * np.pi * trait(cells.identity, purpose)[:, None]
        if k < 2:
            where = np.pi * k + 0.15 * (where - np.pi)
        blunt = 0.06 + 0.10 * trait(cells.identity, purpose + 1)[:, None]
        length = 1.7 * trait(cells.identity, purpose + 2)[:, None] ** 1.5
        breath = 0.6 + 0.4 * np.cos(_wandering(cells, purpose + 3, hours)[:, None])
        away = np.hypot(2 * np.sin((angle - where) / 2), blunt) - blunt
        reach += length * breath * np.exp(-3.5 * away)
    return reach


def _wandering(cells: Cells, purpose: int, hours: float) -> Floats:
    """Give each cell a phase that turns at its own pace, in radians."""
    pace_per_h = 1.2 * (trait(cells.identity, purpose + 1) - 0.5)
    return 2 * np.pi * trait(cells.identity, purpose) + pace_per_h * hours
