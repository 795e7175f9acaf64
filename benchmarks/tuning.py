"""The search of both thresholds, sharing its floods, beside one pair after another.

    python benchmarks/tuning.py [--repeats 3] [--step 0.05]

On distance maps of simulated fields, sparse and dense. Prints the ratio of the medians.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from cv2 import GaussianBlur

from samcell_live.records import DistanceMap, Labels
from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.watershed import split_cells
from samcell_live.simulation.culture import Culture
from samcell_live.simulation.rendering import true_labels
from samcell_live.training.metrics import Matching, match_cells
from samcell_live.training.tuning.grid import Grid
from samcell_live.training.tuning.maps import STEPS
from samcell_live.training.tuning.matching import match_grid

Search: TypeAlias = Callable[[DistanceMap, Labels, Grid], tuple[Matching, ...]]

SIDE_PX = 1024


def main() -> None:
    """Time both, see that they agree, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--step", type=float, default=0.05)
    options = parser.parse_args()
    grid = Grid.even(options.step)
    print(f"{platform.node()}, {platform.processor()}; {len(grid.pairs)} pairs")
    for hours in (24, 72):
        distance, labels = field(hours)
        match_grid(distance, labels, grid)  # compiles
        shared: list[float] = []
        alone: list[float] = []
        for _ in range(options.repeats):
            ours, seconds = timed(match_grid, distance, labels, grid)
            shared.append(seconds)
            theirs, seconds = timed(one_by_one, distance, labels, grid)
            alone.append(seconds)
        differ = max(
            abs(one.op_csb - other.op_csb) for one, other in zip(ours, theirs, strict=True)
        )
        ratio = statistics.median(alone) / statistics.median(shared)
        print(
            f"{labels.max()} cells on {SIDE_PX} x {SIDE_PX}: "
            f"{statistics.median(shared):.2f} s shared, "
            f"{statistics.median(alone):.2f} s one by one, ratio {ratio:.1f}; "
            f"largest difference in OP_CSB {differ:.2g}"
        )


def field(hours: float) -> tuple[DistanceMap, Labels]:
    """Blurred and noisy distance map of a simulated field, as a network may give it."""
    labels = true_labels(
        Culture(seed=1), 0, 0, hours, shape_px=(SIDE_PX, SIDE_PX), pixel_size_um=0.87
    )
    noise = np.random.default_rng(1).normal(0, 0.05, labels.shape)
    rough = GaussianBlur(distance_map(labels) + noise, (0, 0), 1.5)
    kept = np.rint(np.clip(rough, 0, 1) * STEPS)
    return np.asarray(kept / STEPS, dtype=np.float32), labels


def one_by_one(distance: DistanceMap, labels: Labels, grid: Grid) -> tuple[Matching, ...]:
    """Split the map and compare its cells anew for each pair."""
    return tuple(
        match_cells(
            labels,
            split_cells(distance, peak_threshold=peak, fill_threshold=fill, threads=1),
        )
        for peak, fill in grid.pairs
    )


def timed(
    search: Search, distance: DistanceMap, labels: Labels, grid: Grid
) -> tuple[tuple[Matching, ...], float]:
    """Give what a search finds, and how long it took."""
    started = time.perf_counter()
    result = search(distance, labels, grid)
    return result, time.perf_counter() - started


if __name__ == "__main__":
    main()
