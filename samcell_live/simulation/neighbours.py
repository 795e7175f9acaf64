"""Which cells feel each other, on a floor whose opposite sides are joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from samcell_live.simulation.arrays import Floats

REACH = 1.3
"""Cells further apart than this many cell diameters do not feel each other."""
CONTACT = 0.9
"""Cells whose centres are closer than this part of the sum of their radii push."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Pairs of cells that feel each other, one per row."""

    n_cells: int
    reach_um: float
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    apart_um: Floats
    """(n_pairs, 2), from the first to the second."""
    distance_um: Floats

    @classmethod
    def of(cls, xy_um: Floats, side_um: float, cell_diameter_um: float) -> Neighbours:
        """Find the pairs among cells at (n_cells, 2) places on a square."""
        reach_um = REACH * cell_diameter_um
        tree = cKDTree(xy_um, boxsize=np.full(2, side_um))
        pairs = tree.query_pairs(reach_um, output_type="ndarray")
        first, second = pairs[:, 0], pairs[:, 1]
        apart_um = xy_um[second] - xy_um[first]
        apart_um -= side_um * np.rint(apart_um / side_um)
        distance_um = np.maximum(np.hypot(apart_um[:, 0], apart_um[:, 1]), 1e-3)
        return cls(len(xy_um), reach_um, first, second, apart_um, distance_um)

    def density_per_um2(self) -> Floats:
        """Density of the others around each cell; the nearest weigh most."""
        weight = (1 - (self.distance_um / self.reach_um) ** 2) ** 2
        return self._totals(weight, weight) * (3 / (np.pi * self.reach_um**2))

    def push_um(self, radius_um: Floats) -> Floats:
        """Way out of each cell's overlaps with others, (n_cells, 2)."""
        wanted_um = CONTACT * (radius_um[self.first] + radius_um[self.second])
        share = np.maximum(wanted_um - self.distance_um, 0) / (2 * self.distance_um)
        along_um = self.apart_um * share[:, None]
        return np.stack(
            [self._totals(-along_um[:, axis], along_um[:, axis]) for axis in (0, 1)], axis=1
        )

    def _totals(self, to_first: Floats, to_second: Floats) -> Floats:
        received = np.bincount(self.first, to_first, self.n_cells)
        return np.asarray(
            received + np.bincount(self.second, to_second, self.n_cells), float
        )
