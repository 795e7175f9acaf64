"""The cells of one well, grown in fixed steps of time.

The well is a square whose opposite sides are joined, so that it has no edge. Every
cell draws its cycle's length from a gamma distribution whose Euler-Lotka equation
gives exactly the doubling time asked for, and founders have the ages of a culture
that has always been growing: the count is exponential from the first hour until
cells feel their neighbours. Crowded cells then stay in G1, as fibroblasts do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from samcell_live.simulation.cells import Cells, Floats

if TYPE_CHECKING:
    import numpy.typing as npt

STEP_H = 0.25

CYCLE_SHAPE = 30
"""Gamma shape of the cycle lengths: a coefficient of variation of 18 %."""
G1_ENDS = 0.6
"""Fraction of the cycle after which a cell divides, crowded or not."""
MITOSIS_H = 0.8
SPREADING_H = 1.2
"""Time in which a newborn cell flattens."""
ATTACHING_H = 3.0
"""Mean time in which a seeded cell attaches and flattens."""
SPHERE_RADIUS_UM = 10.5
"""Radius of a rounded cell about to divide."""

REACH_UM = 60.0
"""Cells further apart than this do not feel each other."""
FREE_DENSITY_PER_MM2 = 500.0
FULL_DENSITY_PER_MM2 = 1150.0
"""Between these local densities, progress through G1 slows from full to none."""
OVERLAP = 1.35
"""Area that a crowded cell claims, over its share of the floor."""
AREA_SETTLES_H = 1.5

SPEED_UM_PER_H = 16.0
TURNING_RAD_PER_SQRT_H = 0.6
STIFFNESS_PER_H = 1.2
"""Part of an overlap that two cells undo per hour."""


@dataclass(slots=True, eq=False)
class Population:
    """State of one well's cells, and the stream that drives it; see `advance`."""

    rng: np.random.Generator
    side_um: float
    doubling_time_h: float
    spread_area_um2: float
    next_identity: int
    identity: npt.NDArray[np.uint64]
    xy_um: Floats
    """(n_cells, 2), within the well's square."""
    heading_rad: Floats
    cycle_h: Floats
    progress: Floats
    """Through the cycle, 0 to 1."""
    unspread_h: Floats
    """Hours until the cell is flat; negative afterwards."""
    area_um2: Floats
    size: Floats
    """Lasting size of each cell, relative to the mean."""

    @classmethod
    def seeded(
        cls,
        rng: np.random.Generator,
        *,
        side_um: float,
        doubling_time_h: float,
        density_per_mm2: float,
        spread_area_um2: float,
    ) -> Population:
        """Drop cells on an empty well."""
        n_cells = max(1, rng.poisson(density_per_mm2 * side_um**2 / 1e6))
        first = int(rng.integers(2**62))
        cycle_h, progress = _steady_ages(rng, n_cells, doubling_time_h)
        return cls(
            rng=rng,
            side_um=side_um,
            doubling_time_h=doubling_time_h,
            spread_area_um2=spread_area_um2,
            next_identity=first + n_cells,
            identity=np.arange(first, first + n_cells, dtype=np.uint64),
            xy_um=rng.uniform(0, side_um, (n_cells, 2)),
            heading_rad=rng.uniform(0, 2 * np.pi, n_cells),
            cycle_h=cycle_h,
            progress=progress,
            unspread_h=rng.gamma(6, ATTACHING_H / 6, n_cells) + SPREADING_H,
            area_um2=np.full(n_cells, spread_area_um2),
            size=_sizes(rng, n_cells),
        )

    def cells(self) -> Cells:
        """Describe the cells as they are now, in the well's own coordinates."""
        mitosis = np.clip(1.5 - (1 - self.progress) * self.cycle_h / MITOSIS_H, 0, 1)
        newborn = np.clip(self.unspread_h / SPREADING_H, 0, 1)
        roundness = np.maximum(_smooth(mitosis), _smooth(newborn))
        sphere_um2 = np.pi * SPHERE_RADIUS_UM**2 * ((1 + self.progress) / 2) ** (2 / 3)
        return Cells(
            identity=self.identity,
            x_um=self.xy_um[:, 0],
            y_um=self.xy_um[:, 1],
            heading_rad=self.heading_rad,
            area_um2=self.area_um2 ** (1 - roundness) * sphere_um2**roundness,
            roundness=roundness,
            condensation=mitosis,
        )

    def advance(self) -> None:
        """Let one step of time pass."""
        near = _Neighbourhood.of(self.xy_um, self.side_um)
        density = near.density_per_mm2()
        self._settle_areas(density)
        self._move(near, density)
        self._cycle(density)

    def _settle_areas(self, density_per_mm2: Floats) -> None:
        free_um2 = self.spread_area_um2 * self.size * (0.75 + 0.5 * self.progress)
        share_um2 = OVERLAP * 1e6 / np.maximum(density_per_mm2, 1.0)
        target_um2 = (free_um2**-3 + share_um2**-3) ** (-1 / 3)
        self.area_um2 += (target_um2 - self.area_um2) * STEP_H / AREA_SETTLES_H

    def _move(self, near: _Neighbourhood, density_per_mm2: Floats) -> None:
        cells = self.cells()
        n_cells = len(cells)
        room = np.clip(1 - density_per_mm2 / FULL_DENSITY_PER_MM2, 0.15, 1)
        step_um = SPEED_UM_PER_H * STEP_H * room * (1 - cells.roundness)
        turns = self.rng.normal(0, TURNING_RAD_PER_SQRT_H * STEP_H**0.5, n_cells)
        self.heading_rad = self.heading_rad + turns
        way = np.stack([np.cos(self.heading_rad), np.sin(self.heading_rad)], axis=1)
        away_um = near.overlap_um(np.sqrt(cells.area_um2 / np.pi))
        moved = self.xy_um + way * step_um[:, None] + away_um * STIFFNESS_PER_H * STEP_H
        self.xy_um = moved % self.side_um

    def _cycle(self, density_per_mm2: Floats) -> None:
        slowed = np.clip(
            (FULL_DENSITY_PER_MM2 - density_per_mm2)
            / (FULL_DENSITY_PER_MM2 - FREE_DENSITY_PER_MM2),
            0,
            1,
        )
        pace = np.where(self.progress < G1_ENDS, slowed, 1.0)
        self.progress = self.progress + pace * STEP_H / self.cycle_h
        self.unspread_h = self.unspread_h - STEP_H
        dividing = self.progress >= 1
        if dividing.any():
            self._divide(dividing)

    def _divide(self, dividing: npt.NDArray[np.bool_]) -> None:
        parents = np.flatnonzero(dividing)
        n_new = 2 * parents.size
        axis_rad = self.rng.uniform(0, 2 * np.pi, parents.size)
        offset_um = (
            0.8 * SPHERE_RADIUS_UM * np.stack([np.cos(axis_rad), np.sin(axis_rad)], 1)
        )
        both = np.concatenate([parents, parents])
        cycle_h = _cycles(self.rng, n_new, self.doubling_time_h)
        late_h = (self.progress[both] - 1) * self.cycle_h[both]
        stay = ~dividing
        first = self.next_identity
        newborn_xy = self.xy_um[both] + np.concatenate([offset_um, -offset_um])

        def renew(old: Floats, new: Floats) -> Floats:
            return np.concatenate([old[stay], new])

        self.identity = np.concatenate(
            [self.identity[stay], np.arange(first, first + n_new, dtype=np.uint64)]
        )
        self.next_identity += n_new
        self.xy_um = renew(self.xy_um, newborn_xy % self.side_um)
        self.heading_rad = renew(
            self.heading_rad, np.concatenate([axis_rad, axis_rad + np.pi])
        )
        self.area_um2 = renew(self.area_um2, 0.6 * self.area_um2[both])
        self.size = renew(self.size, _sizes(self.rng, n_new))
        self.unspread_h = renew(self.unspread_h, np.full(n_new, SPREADING_H))
        self.progress = renew(self.progress, late_h / cycle_h)
        self.cycle_h = renew(self.cycle_h, cycle_h)


@dataclass(frozen=True, slots=True, eq=False)
class _Neighbourhood:
    """Pairs of cells that feel each other."""

    n_cells: int
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    apart_um: Floats
    """(n_pairs, 2), from the first to the second."""
    distance_um: Floats

    @classmethod
    def of(cls, xy_um: Floats, side_um: float) -> _Neighbourhood:
        tree = cKDTree(xy_um, boxsize=side_um)
        pairs = tree.query_pairs(REACH_UM, output_type="ndarray")
        first, second = pairs[:, 0], pairs[:, 1]
        apart_um = xy_um[second] - xy_um[first]
        apart_um -= side_um * np.rint(apart_um / side_um)
        distance_um = np.maximum(np.hypot(apart_um[:, 0], apart_um[:, 1]), 1e-3)
        return cls(len(xy_um), first, second, apart_um, distance_um)

    def _total(self, to_first: Floats, to_second: Floats) -> Floats:
        return np.bincount(self.first, to_first, self.n_cells) + np.bincount(
            self.second, to_second, self.n_cells
        )

    def density_per_mm2(self) -> Floats:
        """Density of the other cells around each, weighted to the nearest."""
        weight = (1 - (self.distance_um / REACH_UM) ** 2) ** 2
        return self._total(weight, weight) * (3e6 / (np.pi * REACH_UM**2))

    def overlap_um(self, radius_um: Floats) -> Floats:
        """Sum of each cell's overlaps with others, pointing away from them."""
        wanted_um = 0.9 * (radius_um[self.first] + radius_um[self.second])
        push = np.maximum(wanted_um - self.distance_um, 0) / (2 * self.distance_um)
        along = self.apart_um * push[:, None]
        return np.stack(
            [self._total(-along[:, axis], along[:, axis]) for axis in (0, 1)], axis=1
        )


def _cycles(rng: np.random.Generator, n_cells: int, doubling_time_h: float) -> Floats:
    """Draw cycle lengths for which 2 E[exp(-growth rate x length)] = 1."""
    scale_h = (2 ** (1 / CYCLE_SHAPE) - 1) * doubling_time_h / np.log(2)
    return rng.gamma(CYCLE_SHAPE, scale_h, n_cells)


def _steady_ages(
    rng: np.random.Generator, n_cells: int, doubling_time_h: float
) -> tuple[Floats, Floats]:
    """Draw cycle lengths and progress of a culture in steady exponential growth."""
    rate_per_h = np.log(2) / doubling_time_h
    tried_h = _cycles(rng, 4 * n_cells + 100, doubling_time_h)
    kept = rng.random(tried_h.size) < 1 - np.exp(-rate_per_h * tried_h)
    cycle_h = tried_h[kept][:n_cells]
    share = rng.random(n_cells) * (1 - np.exp(-rate_per_h * cycle_h))
    return cycle_h, -np.log1p(-share) / rate_per_h / cycle_h


def _sizes(rng: np.random.Generator, n_cells: int) -> Floats:
    return rng.lognormal(0, 0.25, n_cells)


def _smooth(fraction: Floats) -> Floats:
    """Ease in and out between 0 and 1."""
    return fraction**2 * (3 - 2 * fraction)
