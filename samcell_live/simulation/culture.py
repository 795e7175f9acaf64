"""A seeded culture in wells: ask for the cells around any place at any hour."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import product
from threading import Lock

import numpy as np

from samcell_live.simulation.cells import Cells, Floats
from samcell_live.simulation.population import STEP_H, Population
from samcell_live.simulation.randomness import stream

REACH_UM = 110.0
"""No cell reaches further than this from its centre."""


@dataclass(frozen=True, slots=True)
class Culture:
    """Adherent cells growing in wells; the same settings give the same cells.

    The nearest multiple of `well_pitch_um` to a stage position is its well. Every well
    grows on its own, at its own rate, over a floor that repeats every `patch_um`, so
    that cells are seen wherever the stage goes. What is asked for first or twice
    changes nothing, and threads may ask at once.
    """

    seed: int = 1
    doubling_time_h: float = 16.0
    """Mean over wells, while cells have room; see `true_doubling_time_h`."""
    seeding_density_per_mm2: float = 120.0
    well_pitch_um: float = 9000.0
    growth_rate_spread: float = 0.25
    """Wells grow at rates within this fraction of the mean."""
    cell_diameter_um: float = 44.0
    """Diameter of a circle with the area of a spread cell that has room."""
    patch_um: float = 1200.0
    _wells: _Wells = field(
        default_factory=lambda: _Wells(), init=False, repr=False, compare=False
    )

    def well(self, x_um: float, y_um: float) -> tuple[int, int]:
        """Find the well under the objective, as (column, row) from the stage's origin.

        Examples
        --------
        >>> Culture(well_pitch_um=9000).well(8800.0, -120.0)
        (1, 0)
        """
        return round(x_um / self.well_pitch_um), round(y_um / self.well_pitch_um)

    def true_doubling_time_h(self, x_um: float, y_um: float) -> float:
        """Doubling time of the well at this place, while its cells have room."""
        return self._grown(x_um, y_um).doubling_time_h

    def cell_count(self, x_um: float, y_um: float, hours: float) -> int:
        """Count the cells on the repeating patch of the well at this place."""
        return len(self._grown(x_um, y_um).cells(hours))

    def density_per_mm2(self, x_um: float, y_um: float, hours: float) -> float:
        """Mean density of the well at this place."""
        return self.cell_count(x_um, y_um, hours) / (self.patch_um**2 / 1e6)

    def cells(
        self, x_um: float, y_um: float, hours: float, *, width_um: float, height_um: float
    ) -> Cells:
        """Find all cells that may reach into a field.

        Parameters
        ----------
        x_um, y_um : float
            Stage position: the middle of the field.
        hours : float
            Culture time since seeding, at least 0.
        width_um, height_um : float
            Size of the field.

        Returns
        -------
        Cells
            Coordinates are relative to the middle of the field; where the field is wider
            than the patch, cells repeat.

        Raises
        ------
        ValueError
            If `hours` is negative or not a number.
        """
        well = self.well(x_um, y_um)
        found = self._grown(x_um, y_um).cells(hours)
        dx = _repeats(
            found.x_um - (x_um - well[0] * self.well_pitch_um), width_um, self.patch_um
        )
        dy = _repeats(
            found.y_um - (y_um - well[1] * self.well_pitch_um), height_um, self.patch_um
        )
        copies = [
            found.moved_to(x, y).take(
                (np.abs(x) < width_um / 2 + REACH_UM)
                & (np.abs(y) < height_um / 2 + REACH_UM)
            )
            for y, x in product(dy, dx)
        ]
        return Cells.joined(copies)

    def _grown(self, x_um: float, y_um: float) -> _Well:
        return self._wells.get(self, *self.well(x_um, y_um))


def _repeats(offset_um: Floats, extent_um: float, patch_um: float) -> list[Floats]:
    """Shift offsets by whole patches to everywhere that reaches into the extent."""
    nearest = offset_um - patch_um * np.rint(offset_um / patch_um)
    n_beyond = math.ceil(max(0.0, extent_um / 2 + REACH_UM - patch_um / 2) / patch_um)
    return [nearest + patch_um * k for k in range(-n_beyond, n_beyond + 1)]


class _Well:
    """One well's history, lengthened to the latest hour that was asked for."""

    def __init__(self, culture: Culture, column: int, row: int) -> None:
        rng = stream("well", culture.seed, column, row)
        spread = culture.growth_rate_spread
        self.doubling_time_h = culture.doubling_time_h / rng.uniform(1 - spread, 1 + spread)
        self._side_um = culture.patch_um
        self._population = Population.seeded(
            rng,
            side_um=culture.patch_um,
            doubling_time_h=self.doubling_time_h,
            density_per_mm2=culture.seeding_density_per_mm2,
            spread_area_um2=math.pi * culture.cell_diameter_um**2 / 4,
        )
        self._history = [self._population.cells()]
        self._lock = Lock()

    def cells(self, hours: float) -> Cells:
        """Cells at any hour, between two steps by interpolation."""
        if not (hours >= 0 and math.isfinite(hours)):
            raise ValueError(
                f"A culture has no cells at hour {hours}; ask for 0 (seeding) or later."
            )
        step, part = divmod(hours / STEP_H, 1)
        before, after = self._moments(int(step))
        return before.towards(after, part, self._side_um) if part else before

    def _moments(self, step: int) -> tuple[Cells, Cells]:
        with self._lock:
            while len(self._history) < step + 2:
                self._population.advance()
                self._history.append(self._population.cells())
            return self._history[step], self._history[step + 1]


class _Wells:
    """The wells that have been looked at. They are grown again rather than pickled."""

    def __init__(self) -> None:
        self._wells: dict[tuple[int, int], _Well] = {}
        self._lock = Lock()

    def __reduce__(self) -> tuple[type[_Wells], tuple[()]]:
        return _Wells, ()

    def get(self, culture: Culture, column: int, row: int) -> _Well:
        with self._lock:
            if (column, row) not in self._wells:
                self._wells[column, row] = _Well(culture, column, row)
            return self._wells[column, row]
