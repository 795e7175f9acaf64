"""A seeded culture in wells: ask for the cells around any place at any hour."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import product
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from samcell_live.simulation.cells import Cells
from samcell_live.simulation.line import FIBROBLASTS, CellLine
from samcell_live.simulation.neighbours import REACH
from samcell_live.simulation.population import STEP_H, Population
from samcell_live.simulation.randomness import stream

if TYPE_CHECKING:
    from samcell_live.simulation.arrays import Floats

LAST_HOUR = 1000.0
"""Growing on would fill the memory, and show nothing new."""


@dataclass(frozen=True, slots=True)
class Culture:
    """Adherent cells growing in wells; the same settings give the same cells.

    The nearest multiple of `well_pitch_um` to a stage position is its well. Every well
    grows on its own, at its own rate, over a floor that repeats every `patch_um`, so
    that cells are seen wherever the stage goes. What is asked for first or twice
    changes nothing, and threads may ask at once. A well of 72 hours is grown in less
    than a second, and kept in about 6 MB.
    """

    seed: int = 1
    doubling_time_h: float = 16.0
    """Of the mean growth rate over wells; see `true_doubling_time_h`."""
    seeding_density_per_mm2: float = 120.0
    well_pitch_um: float = 9000.0
    growth_rate_spread: float = 0.25
    """Wells grow at rates within this fraction of the mean."""
    cell_diameter_um: float = 46.0
    """Diameter of a circle with the area of a flat cell that has room."""
    patch_um: float = 1000.0
    line: CellLine = FIBROBLASTS
    _wells: _Wells = field(
        default_factory=lambda: _Wells(), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Refuse a floor on which cells would be their own neighbours."""
        smallest_um = 2 * REACH * self.cell_diameter_um
        if not self.patch_um > smallest_um:
            raise ValueError(
                f"patch_um is {self.patch_um}, too small for cells of "
                f"{self.cell_diameter_um} um: make it larger than {smallest_um:.0f} um."
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
        """Count the cells on the whole patch of the well at this place."""
        return len(self._grown(x_um, y_um).cells(hours))

    def density_per_mm2(self, x_um: float, y_um: float, hours: float) -> float:
        """Mean density of the well at this place."""
        return self.cell_count(x_um, y_um, hours) / (self.patch_um**2 / 1e6)

    def cells(
        self, x_um: float, y_um: float, hours: float, *, width_um: float, height_um: float
    ) -> Cells:
        """Find the cells whose centres lie in a rectangle.

        Parameters
        ----------
        x_um, y_um : float
            Stage position: the middle of the rectangle.
        hours : float
            Culture time since seeding, 0 to `LAST_HOUR`.
        width_um, height_um : float
            Size of the rectangle; where it is wider than the patch, cells repeat.

        Returns
        -------
        Cells
            With coordinates relative to the middle.

        Raises
        ------
        ValueError
            If `hours` is negative or after `LAST_HOUR`.
        """
        found = self._grown(x_um, y_um).cells(hours)
        column, row = self.well(x_um, y_um)
        x_in_well_um = x_um - column * self.well_pitch_um
        y_in_well_um = y_um - row * self.well_pitch_um
        repeats = product(
            _repeats(found.y_um - np.float64(y_in_well_um), height_um, self.patch_um),
            _repeats(found.x_um - np.float64(x_in_well_um), width_um, self.patch_um),
        )
        seen = Cells.joined(
            [
                found.moved_to(x, y).take(
                    (np.abs(x) <= width_um / 2) & (np.abs(y) <= height_um / 2)
                )
                for y, x in repeats
            ]
        )
        return replace(seen, roundness=np.maximum(seen.roundness, self.line.roundness))

    def _grown(self, x_um: float, y_um: float) -> _Well:
        return self._wells.get(self, *self.well(x_um, y_um))


def _repeats(offset_um: Floats, extent_um: float, patch_um: float) -> list[Floats]:
    """Shift offsets by whole patches to everywhere that the extent reaches."""
    nearest_um = offset_um - patch_um * np.rint(offset_um / patch_um)
    n_beyond = math.ceil(max(0.0, extent_um - patch_um) / 2 / patch_um)
    return [nearest_um + patch_um * k for k in range(-n_beyond, n_beyond + 1)]


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
            cell_diameter_um=culture.cell_diameter_um,
        )
        self._history = [self._population.cells()]
        self._lock = Lock()

    def cells(self, hours: float) -> Cells:
        """Cells at any hour, between two steps by interpolation."""
        if not 0 <= hours <= LAST_HOUR:
            raise ValueError(
                f"A simulated culture lives from hour 0 (seeding) to {LAST_HOUR:.0f}, but "
                f"hour {hours} was asked for. A microscope's `speed` may be too high."
            )
        step, part = divmod(hours / STEP_H, 1)
        before, after = self._moments(int(step))
        return before.towards(after, part, self._side_um)

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
