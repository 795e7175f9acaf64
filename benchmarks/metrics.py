"""Every measure of one large field, beside py-ctcmetrics: same numbers, time, ratio.

Draws two dense fields of cells, times both sides in turn in this process, and prints the
medians and their ratio. py-ctcmetrics reads files, which it is given on a RAM disk where
there is one. Exits with 1 if SEG or the counts behind DET differ.

    python benchmarks/metrics.py [--cells 3000] [--side 2048]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import tifffile
from ctc_metrics.metrics.technical.seg import seg as reference_seg
from ctc_metrics.utils.representations import (
    count_acyclic_graph_correction_operations,
    match,
)
from scipy import ndimage

from samcell_live.records import Labels
from samcell_live.training.scores import FieldScore, score_field

RADIUS_PX = 18
RAM_DISK = Path("/dev/shm")
REPEATS = 5

T = TypeVar("T")


def draw_cells(side_px: int, n_cells: int) -> Labels:
    """Voronoi cells of random centres, cut at a radius, so that many touch."""
    random = np.random.default_rng(0)
    seeds = np.zeros((side_px, side_px), dtype=np.int32)
    seeds[tuple(random.integers(0, side_px, (2, n_cells)))] = np.arange(1, n_cells + 1)
    distance, nearest = ndimage.distance_transform_edt(seeds == 0, return_indices=True)
    return np.where(distance < RADIUS_PX, seeds[tuple(nearest)], 0).astype(np.int32)


def by_ctcmetrics(folder: Path) -> tuple[float, int, int, int]:
    """SEG, missed, false and split cells as py-ctcmetrics counts them."""
    *parts, overlaps = match(str(folder / "truth.tif"), str(folder / "found.tif"))
    counts = count_acyclic_graph_correction_operations(
        None, None, *([part] for part in parts)
    )
    score = float(reference_seg([parts[0]], [overlaps]))
    return score, counts["FN"], counts["FP"], counts["NS"]


def in_brief(score: FieldScore) -> tuple[float, int, int, int]:
    """Ours, as `by_ctcmetrics` gives theirs."""
    if score.outlined is None:
        raise ValueError("A field of outlines has a matching.")
    found = score.outlined
    return found.seg, found.n_missed, found.n_false, found.n_splits


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Result and seconds of one call."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def main() -> None:
    """Compare, and say on what."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=3000)
    parser.add_argument("--side", type=int, default=2048)
    arguments = parser.parse_args()
    truth = draw_cells(arguments.side, arguments.cells)
    found = np.roll(truth, 4, axis=1)
    ours_s, theirs_s = [], []
    ram_disk = RAM_DISK if RAM_DISK.is_dir() else None
    with tempfile.TemporaryDirectory(dir=ram_disk) as name:
        folder = Path(name)
        tifffile.imwrite(folder / "truth.tif", truth)
        tifffile.imwrite(folder / "found.tif", found)
        for _ in range(REPEATS):
            ours, seconds = timed(lambda: score_field("field", truth, found))
            ours_s.append(seconds)
            theirs, seconds = timed(lambda: by_ctcmetrics(folder))
            theirs_s.append(seconds)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs")
    print(f"{arguments.side} x {arguments.side}, {np.unique(truth).size - 1} cells")
    ours_median_s, theirs_median_s = map(statistics.median, (ours_s, theirs_s))
    print(f"every measure, ours:        {ours_median_s:.3f} s")
    print(f"SEG and DET, py-ctcmetrics: {theirs_median_s:.3f} s")
    print(f"ratio:                      {theirs_median_s / ours_median_s:.1f}")
    if not np.allclose(in_brief(ours), theirs):
        sys.exit(f"They differ: {in_brief(ours)} and {theirs}.")


if __name__ == "__main__":
    main()
