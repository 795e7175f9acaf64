"""Fields of simulated cultures, as different from each other as real ones are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from samcell_live.records import Labels, Pixels
from samcell_live.simulation.culture import Culture
from samcell_live.simulation.line import FIBROBLASTS, CellLine
from samcell_live.simulation.optics import Optics
from samcell_live.simulation.rendering import Channel, render_field, true_labels
from samcell_live.training.workers import made_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator

    from samcell_live.training.settings import SimulatedFields

FIELDS_PER_CULTURE = 8
"""Growing a culture takes longer than photographing it."""

LAST_HOUR = 84.0
WORST_DEFOCUS_UM = 8.0
PATCH_DIAMETERS = 22
"""Side of the floor that repeats, in diameters of a cell."""

CONTRASTS: dict[Channel, float] = {
    "phase": 0.45,
    "dic": 0.2,
    "bright-field": 0.1,
    "cytoplasm": 0.17,
    "membranes": 0.08,
}
"""How often each is photographed."""

KINDS = {"fibroblasts": 0.4, "spindles": 0.2, "epithelium": 0.2, "round": 0.2}
"""How often each kind of cell is grown."""


class SimulatedField(NamedTuple):
    """One photograph of a simulated culture, and its truth."""

    name: str
    pixels: Pixels
    labels: Labels


def render_fields(
    settings: SimulatedFields, seed: int, workers: int = 0
) -> Iterator[SimulatedField]:
    """Render cultures of many lines and densities under many microscopes.

    Parameters
    ----------
    settings : SimulatedFields
    seed : int
        The same seed gives the same fields.
    workers : int
        Processes beside this one that render; see `made_ahead`.
    """
    photograph = partial(_photograph_culture, settings, seed)
    cultures = range(-(-settings.count // FIELDS_PER_CULTURE))
    for fields in made_ahead(photograph, cultures, workers):
        yield from fields


def _photograph_culture(
    settings: SimulatedFields, seed: int, number: int
) -> list[SimulatedField]:
    """Grow one culture, and render its share of the fields."""
    random = np.random.default_rng([seed, 0x5EED, number])
    culture = _culture(random)
    first = number * FIELDS_PER_CULTURE
    numbers = range(first, min(first + FIELDS_PER_CULTURE, settings.count))
    return [_photograph(culture, settings, field, random) for field in numbers]


def _culture(random: Generator) -> Culture:
    line = _line(random)
    diameter_um = _log_uniform(random, 12 if line.roundness > 0.5 else 20, 60)
    crowded_per_mm2 = 1e6 / (np.pi / 4 * diameter_um**2)
    return Culture(
        seed=int(random.integers(1_000_000, 2_000_000)),
        doubling_time_h=random.uniform(12, 24),
        seeding_density_per_mm2=crowded_per_mm2 * _log_uniform(random, 0.04, 0.6),
        cell_diameter_um=diameter_um,
        patch_um=PATCH_DIAMETERS * diameter_um,
        line=line,
    )


def _line(random: Generator) -> CellLine:
    """Draw a kind of cell: fibroblasts, spindles, an epithelium, or round ones."""
    kind = random.choice(list(KINDS), p=list(KINDS.values()))
    if kind == "fibroblasts":
        return FIBROBLASTS
    long, tips, lobes, round_ = {
        "spindles": ((1.5, 4.0), (0.5, 1.5), (0.3, 1.0), (0.0, 0.2)),
        "epithelium": ((0.0, 0.6), (0.0, 0.15), (0.2, 0.8), (0.0, 0.5)),
        "round": ((0.0, 0.8), (0.0, 0.1), (0.0, 0.4), (0.6, 1.0)),
    }[kind]
    return CellLine(
        elongation=random.uniform(*long),
        tips=random.uniform(*tips),
        lobes=random.uniform(*lobes),
        roundness=random.uniform(*round_),
        thickness=_log_uniform(random, 0.5, 2.0),
        contents=_log_uniform(random, 0.3, 2.0),
    )


def _optics(random: Generator) -> Optics:
    angle_rad, shear_um = random.uniform(0, 2 * np.pi), random.uniform(0.2, 1.0)
    halo_um = _log_uniform(random, 1.2, 4.0)
    return Optics(
        halo_um=(halo_um, halo_um * random.uniform(1.5, 4.0)),
        resolution_um=random.uniform(0.4, 1.2),
        shear_um=(shear_um * np.sin(angle_rad), shear_um * np.cos(angle_rad)),
        bias_rad=random.uniform(0.6, 2.0),
        plane_um=random.choice([-1, 1]) * random.uniform(3, 15),
    )


def _photograph(
    culture: Culture, settings: SimulatedFields, number: int, random: Generator
) -> SimulatedField:
    x_um, y_um = random.uniform(-600, 600, size=2)
    hours = random.uniform(0, LAST_HOUR)
    defocus_um = random.choice([0.0, random.uniform(-WORST_DEFOCUS_UM, WORST_DEFOCUS_UM)])
    shape_px = (settings.side_px, settings.side_px)
    pixel_size_um = culture.cell_diameter_um / _log_uniform(random, *settings.diameter_px)
    channel = random.choice(list(CONTRASTS), p=list(CONTRASTS.values()))
    pixels = render_field(
        culture,
        x_um,
        y_um,
        defocus_um,
        hours,
        shape_px=shape_px,
        pixel_size_um=pixel_size_um,
        channel=channel,
        optics=_optics(random),
    )
    labels = true_labels(
        culture, x_um, y_um, hours, shape_px=shape_px, pixel_size_um=pixel_size_um
    )
    return SimulatedField(f"simulated {number:03d} {channel}", pixels, labels)


def _log_uniform(random: Generator, low: float, high: float) -> float:
    return float(np.exp(random.uniform(np.log(low), np.log(high))))
