"""The cells of one well, grown in fixed steps of time.

The well is a square whose opposite sides are joined, so that it has no edge. Every
cell draws the length of its cycle from a gamma distribution whose Euler-Lotka equation
gives exactly the doubling time asked for, and founders have the ages of a culture
that has always been growing: the count is exponential from the first hour until
cells feel their neighbours. Crowded cells then stay in G1, as fibroblasts do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from samcell_live.simulation.cells import Cells
from samcell_live.simulation.neighbours import Neighbours

if TYPE_CHECKING:
    from samcell_live.simulation.arrays import Floats, Identities

STEP_H = 0.25

CYCLE_SHAPE = 30
"""Gamma shape of the cycle lengths: a coefficient of variation of 18 %."""
G1_ENDS = 0.6
"""Part of the cycle after which a cell divides, crowded or not."""
FREE_CROWDING = 0.8
FULL_CROWDING = 1.9
"""Between these, progress through G1 slows from full to none. Crowding is the area
that the cells around would cover if they had room, over the area there is."""

MITOSIS_H = 0.8
ATTACHING_H = 3.0
"""Mean time that a seeded cell stays round."""
SPREADING_H = 1.2
"""Time in which a round cell then flattens."""
SPHERE = 0.46
"""Diameter of a round cell about to divide, over that of a spread one."""
OVERLAP = 1.6
"""Area that a crowded cell claims, over its share of the floor."""
AREA_SETTLES_H = 1.5

SPEED_UM_PER_H = 16.0
TURNING_RAD_PER_SQRT_H = 0.35
PUSH_PER_H = 1.2
"""Part of an overlap that two cells undo per hour."""


@dataclass(slots=True, eq=False)
class Population:
    """State of one well's cells, and the stream that drives it; see `advance`."""

    rng: np.random.Generator
    side_um: float
    doubling_time_h: float
    cell_diameter_um: float
    next_identity: int
    identity: Identities
    xy_um: Floats
    """(n_cells, 2), within the well's square."""
    heading_rad: Floats
    cycle_h: Floats
    progress: Floats
    """Through the cycle, 0 to 1."""
    unspread_h: Floats
    """Hours until the cell is flat; negative afterwards."""
    area_um2: Floats
    """Area when flat."""
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
        cell_diameter_um: float,
    ) -> Population:
        """Drop cells on an empty well."""
        n_cells = max(1, rng.poisson(density_per_mm2 * side_um**2 / 1e6))
        first = int(rng.integers(2**62))
        cycle_h, progress = _steady_ages(rng, n_cells, doubling_time_h)
        return cls(
            rng=rng,
            side_um=side_um,
            doubling_time_h=doubling_time_h,
            cell_diameter_um=cell_diameter_um,
            next_identity=first + n_cells,
            identity=np.arange(first, first + n_cells, dtype=np.uint64),
            xy_um=rng.uniform(0, side_um, (n_cells, 2)),
            heading_rad=rng.uniform(0, 2 * np.pi, n_cells),
            cycle_h=cycle_h,
            progress=progress,
            unspread_h=rng.gamma(6, ATTACHING_H / 6, n_cells) + SPREADING_H,
            area_um2=np.full(n_cells, _disc_um2(cell_diameter_um)),
            size=_sizes(rng, n_cells),
        )

    def cells(self) -> Cells:
        """Describe the cells as they are now, in the well's own coordinates (float32)."""
        until_division_h = (1 - self.progress) * self.cycle_h
        mitosis = np.clip(1.5 - until_division_h / MITOSIS_H, 0, 1)
        newborn = np.clip(self.unspread_h / SPREADING_H, 0, 1)
        roundness = _eased(np.maximum(mitosis, newborn))
        grown_um2 = _disc_um2(SPHERE * self.cell_diameter_um)
        sphere_um2 = grown_um2 * ((1 + self.progress) / 2) ** (2 / 3)
        area_um2 = self.area_um2 ** (1 - roundness) * sphere_um2**roundness
        return Cells(
            identity=self.identity,
            x_um=self.xy_um[:, 0].astype(np.float32),
            y_um=self.xy_um[:, 1].astype(np.float32),
            heading_rad=self.heading_rad.astype(np.float32),
            area_um2=area_um2.astype(np.float32),
            roundness=roundness.astype(np.float32),
            condensation=mitosis.astype(np.float32),
        )

    def advance(self) -> None:
        """Let one step of time pass."""
        neighbours = Neighbours.of(self.xy_um, self.side_um, self.cell_diameter_um)
        crowding = neighbours.density_per_um2() * _disc_um2(self.cell_diameter_um)
        self._settle(crowding)
        self._move(neighbours, crowding)
        self._cycle(crowding)

    def _settle(self, crowding: Floats) -> None:
        """Bring areas closer to what age and room allow."""
        spread_um2 = _disc_um2(self.cell_diameter_um)
        free_um2 = spread_um2 * self.size * (0.75 + 0.5 * self.progress)
        share_um2 = spread_um2 * OVERLAP / np.maximum(crowding, 1e-3)
        target_um2 = (free_um2**-3 + share_um2**-3) ** (-1 / 3)
        self.area_um2 = (
            self.area_um2 + (target_um2 - self.area_um2) * STEP_H / AREA_SETTLES_H
        )

    def _move(self, neighbours: Neighbours, crowding: Floats) -> None:
        """Crawl along the heading, more slowly in a crowd, and off other cells."""
        cells = self.cells()
        room = np.clip(1 - crowding / FULL_CROWDING, 0.15, 1)
        step_um = SPEED_UM_PER_H * STEP_H * room * (1 - cells.roundness)
        turn_rad = self.rng.normal(0, TURNING_RAD_PER_SQRT_H * STEP_H**0.5, len(cells))
        self.heading_rad = self.heading_rad + turn_rad
        push_um = neighbours.push_um(np.sqrt(cells.area_um2 / np.pi))
        moved_um = _direction(self.heading_rad) * step_um[:, None]
        moved_um = moved_um + push_um * PUSH_PER_H * STEP_H
        self.xy_um = (self.xy_um + moved_um) % self.side_um

    def _cycle(self, crowding: Floats) -> None:
        """Grow older; the crowded wait in G1, those at the end divide."""
        pace = np.clip((FULL_CROWDING - crowding) / (FULL_CROWDING - FREE_CROWDING), 0, 1)
        pace = np.where(self.progress < G1_ENDS, pace, 1.0)
        self.progress = self.progress + pace * STEP_H / self.cycle_h
        self.unspread_h = self.unspread_h - STEP_H
        self._divide(self.progress >= 1)

    def _divide(self, dividing: npt.NDArray[np.bool_]) -> None:
        """Put two daughters in each dividing cell's place, as old as the step left them."""
        parents = np.flatnonzero(dividing)
        both = np.concatenate([parents, parents])
        first, n_new = self.next_identity, both.size
        axis_rad = self.rng.uniform(0, 2 * np.pi, parents.size)
        heading_rad = np.concatenate([axis_rad, axis_rad + np.pi])
        offset_um = 0.4 * SPHERE * self.cell_diameter_um * _direction(heading_rad)
        cycle_h = _cycles(self.rng, n_new, self.doubling_time_h)
        late_h = (self.progress[both] - 1) * self.cycle_h[both]

        def renewed(old: Floats, new: Floats) -> Floats:
            return np.concatenate([old[~dividing], new])

        self.next_identity += n_new
        newborn = np.arange(first, first + n_new, dtype=np.uint64)
        self.identity = np.concatenate([self.identity[~dividing], newborn])
        self.xy_um = renewed(self.xy_um, (self.xy_um[both] + offset_um) % self.side_um)
        self.heading_rad = renewed(self.heading_rad, heading_rad)
        self.area_um2 = renewed(self.area_um2, 0.6 * self.area_um2[both])
        self.size = renewed(self.size, _sizes(self.rng, n_new))
        self.unspread_h = renewed(self.unspread_h, np.full(n_new, SPREADING_H))
        self.progress = renewed(self.progress, late_h / cycle_h)
        self.cycle_h = renewed(self.cycle_h, cycle_h)


def _cycles(rng: np.random.Generator, n_cells: int, doubling_time_h: float) -> Floats:
    """Draw cycle lengths for which 2 E[exp(-growth rate x length)] = 1."""
    scale_h = (2 ** (1 / CYCLE_SHAPE) - 1) * doubling_time_h / np.log(2)
    return rng.gamma(CYCLE_SHAPE, scale_h, n_cells)


def _steady_ages(
    rng: np.random.Generator, n_cells: int, doubling_time_h: float
) -> tuple[Floats, Floats]:
    """Draw cycle lengths and progress of a culture in steady exponential growth.

    With a growth rate r, cells of age a whose cycle lasts T are found in proportion to
    exp(-r a) f(T) for a < T: lengths are kept with probability 1 - exp(-r T), and the
    ages are exponential, cut at T.
    """
    rate_per_h = np.log(2) / doubling_time_h
    tried_h = _cycles(rng, 4 * n_cells + 100, doubling_time_h)
    kept = rng.random(tried_h.size) < 1 - np.exp(-rate_per_h * tried_h)
    cycle_h = tried_h[kept][:n_cells]
    share = rng.random(n_cells) * (1 - np.exp(-rate_per_h * cycle_h))
    return cycle_h, -np.log1p(-share) / rate_per_h / cycle_h


def _sizes(rng: np.random.Generator, n_cells: int) -> Floats:
    return rng.lognormal(0, 0.25, n_cells)


def _disc_um2(diameter_um: float) -> float:
    return float(np.pi) * diameter_um**2 / 4


def _direction(angle_rad: Floats) -> Floats:
    """Unit vectors, (n_cells, 2)."""
    return np.stack([np.cos(angle_rad), np.sin(angle_rad)], axis=1)


def _eased(part: Floats) -> Floats:
    """Ease in and out between 0 and 1."""
    return part**2 * (3 - 2 * part)
