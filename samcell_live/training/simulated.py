"""Fields of simulated cultures, as different from each other as real ones are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from samcell_live.records import Labels, Pixels
from samcell_live.simulation.culture import Culture
from samcell_live.simulation.rendering import render_field, true_labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator

    from samcell_live.training.settings import SimulatedFields

FIELDS_PER_CULTURE = 12
"""Growing a culture takes longer than photographing it."""

LAST_HOUR = 84.0
WORST_DEFOCUS_UM = 8.0


class SimulatedField(NamedTuple):
    """One photograph of a simulated culture, and its truth."""

    name: str
    pixels: Pixels
    labels: Labels


def render_fields(settings: SimulatedFields, seed: int) -> Iterator[SimulatedField]:
    """Render cultures of many densities, sizes of cells, hours and depths of focus.

    Parameters
    ----------
    settings : SimulatedFields
    seed : int
        The same seed gives the same fields.
    """
    random = np.random.default_rng([seed, 0x5EED])
    for number in range(settings.count):
        if number % FIELDS_PER_CULTURE == 0:
            culture = _culture(random)
        yield _photograph(culture, settings, number, random)


def _culture(random: Generator) -> Culture:
    return Culture(
        seed=int(random.integers(1_000_000, 2_000_000)),
        doubling_time_h=random.uniform(12, 24),
        seeding_density_per_mm2=float(np.exp(random.uniform(np.log(40), np.log(350)))),
        cell_diameter_um=random.uniform(22, 60),
    )


def _photograph(
    culture: Culture, settings: SimulatedFields, number: int, random: Generator
) -> SimulatedField:
    x_um, y_um = random.uniform(-600, 600, size=2)
    hours = random.uniform(0, LAST_HOUR)
    defocus_um = random.choice([0.0, random.uniform(-WORST_DEFOCUS_UM, WORST_DEFOCUS_UM)])
    shape_px = (settings.side_px, settings.side_px)
    pixel_size_um = random.uniform(*settings.pixel_size_um)
    pixels = render_field(
        culture,
        x_um,
        y_um,
        defocus_um,
        hours,
        shape_px=shape_px,
        pixel_size_um=pixel_size_um,
    )
    labels = true_labels(
        culture, x_um, y_um, hours, shape_px=shape_px, pixel_size_um=pixel_size_um
    )
    return SimulatedField(f"simulated {number:03d}", pixels, labels)
