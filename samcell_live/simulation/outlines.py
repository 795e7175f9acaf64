"""The shape of each cell: a star-convex outline that changes slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samcell_live.simulation.line import FIBROBLASTS, CellLine
from samcell_live.simulation.randomness import trait

if TYPE_CHECKING:
    from samcell_live.simulation.arrays import Floats, Map
    from samcell_live.simulation.cells import Cells

N_ANGLES = 128
ANGLES_RAD = np.arange(N_ANGLES) * (2 * np.pi / N_ANGLES)
LONGEST_UM = 100.0
"""No outline reaches further from the cell's centre."""

FINER = 8
"""Outlines are interpolated to this many times as many angles."""
N_TIPS = 5
LOBE_HEIGHTS = {n: (0.22 if n < 5 else 0.12) / n for n in range(2, 14)}
"""Waves around the outline: the first are its form, the last its ruffled edge."""


def outlines_um(cells: Cells, hours: float, line: CellLine = FIBROBLASTS) -> Floats:
    """Trace every cell.

    Parameters
    ----------
    cells : Cells
        Their area, heading and roundness are met.
    hours : float
        Culture time; tips grow and shrink within hours.
    line : CellLine

    Returns
    -------
    (n_cells, N_ANGLES) float64
        Distance from the centre to the edge, at `ANGLES_RAD` from +x towards +y.
    """
    angle_rad = ANGLES_RAD - cells.heading_rad[:, None]
    lobes = line.lobes * _lobes(cells, angle_rad, hours)
    form = _ellipse(cells, angle_rad, line.elongation) * np.exp(lobes)
    form = form * (1 + line.tips * _tips(cells, angle_rad, hours))
    form = form ** (1 - cells.roundness[:, None])
    unit_area = np.pi * np.mean(form**2, axis=1)
    radius_um = form * np.sqrt(cells.area_um2 / unit_area)[:, None]
    return np.asarray(np.minimum(radius_um, LONGEST_UM))


def interpolated(radius_um: Floats) -> Map:
    """Give outlines `FINER` angles for each one they were traced at."""
    part = np.arange(FINER) / FINER
    following_um = np.roll(radius_um, -1, axis=1)
    fine_um = radius_um[..., None] * (1 - part) + following_um[..., None] * part
    return fine_um.reshape(len(radius_um), FINER * N_ANGLES).astype(np.float32)


def depth(fine_um: Map, dy_um: Map, dx_um: Map) -> Map:
    """Distance of places from a cell's centre over that to its outline.

    Parameters
    ----------
    fine_um : (FINER * N_ANGLES,) float32
        One row of `interpolated`.
    dy_um : (height, 1) float32
    dx_um : (1, width) float32
        Offsets from the cell's centre.

    Returns
    -------
    (height, width) float32
        0 at the centre, 1 on the outline, more outside.
    """
    per_rad = np.float32(fine_um.size / (2 * np.pi))
    angle = np.rint(np.arctan2(dy_um, dx_um) * per_rad).astype(np.intp)
    return np.asarray(np.sqrt(dy_um * dy_um + dx_um * dx_um) / fine_um[angle])


def _ellipse(cells: Cells, angle_rad: Floats, elongation: float) -> Floats:
    aspect = 1 + 1.5 * elongation * _column(cells, "aspect") ** 1.5
    along, across = np.cos(angle_rad) ** 2, np.sin(angle_rad) ** 2
    return np.asarray((along / aspect + across * aspect) ** -0.5)


def _lobes(cells: Cells, angle_rad: Floats, hours: float) -> Floats:
    lobes = np.zeros_like(angle_rad)
    for n, height in LOBE_HEIGHTS.items():
        strength = 2 * height * _column(cells, f"lobe {n} height")
        lobes += strength * np.cos(
            n * angle_rad + _wandering_rad(cells, f"lobe {n}", hours)
        )
    return lobes


def _tips(cells: Cells, angle_rad: Floats, hours: float) -> Floats:
    """Protrusions with hollow flanks; two lie at the ends of the long axis."""
    reach = np.zeros_like(angle_rad)
    for k in range(N_TIPS):
        tip = f"tip {k}"
        where_rad = 2 * np.pi * _column(cells, f"{tip} place")
        if k < 2:
            where_rad = np.pi * k + 0.15 * (where_rad - np.pi)
        blunt = 0.03 + 0.08 * _column(cells, f"{tip} bluntness")
        steep = 4 + 7 * _column(cells, f"{tip} steepness")
        length = 2.8 * _column(cells, f"{tip} length") ** 1.3
        breath = 0.6 + 0.4 * np.cos(_wandering_rad(cells, tip, hours))
        away = np.hypot(2 * np.sin((angle_rad - where_rad) / 2), blunt) - blunt
        reach += length * breath * np.exp(-steep * away)
    return reach


def _wandering_rad(cells: Cells, name: str, hours: float) -> Floats:
    """Give each cell a phase that turns at its own pace, (n_cells, 1)."""
    pace_per_h = 1.2 * (_column(cells, f"{name} pace") - 0.5)
    return 2 * np.pi * _column(cells, f"{name} phase") + pace_per_h * hours


def _column(cells: Cells, name: str) -> Floats:
    return trait(cells.identity, name)[:, None]
