"""The full table beside scikit-image's: one frame, every column that both have.

Draws a dense field of cells, times both sides in turn in this process, and prints the
ratio. Exits with 1 if a column differs.

    python benchmarks/measurements.py [--cells 3000] [--side 2048]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import regionprops_table
from skimage.segmentation import relabel_sequential, watershed

from samcell_live.culture.measurements import measure_cells
from samcell_live.records import Labels

RADIUS_PX = 18
PROPERTIES = {
    "area": "area_px",
    "area_convex": "area_convex_px",
    "axis_major_length": "axis_major_length_px",
    "axis_minor_length": "axis_minor_length_px",
    "bbox-0": "bbox_y0_px",
    "bbox-1": "bbox_x0_px",
    "bbox-2": "bbox_y1_px",
    "bbox-3": "bbox_x1_px",
    "centroid-0": "centroid_y_px",
    "centroid-1": "centroid_x_px",
    "eccentricity": "eccentricity",
    "equivalent_diameter_area": "equivalent_diameter_area_px",
    "euler_number": "euler_number",
    "extent": "extent",
    "feret_diameter_max": "feret_diameter_max_px",
    "intensity_max": "intensity_max",
    "intensity_mean": "intensity_mean",
    "intensity_min": "intensity_min",
    "intensity_std": "intensity_std",
    "perimeter": "perimeter_px",
    "perimeter_crofton": "perimeter_crofton_px",
    "solidity": "solidity",
}
"""scikit-image's names and ours; orientation is timed, and compared in the tests."""


def draw_cells(side_px: int, n_cells: int) -> Labels:
    """Voronoi cells of random centres, cut at a radius, so that many touch."""
    rng = np.random.default_rng(0)
    seeds = np.zeros((side_px, side_px), dtype=np.int32)
    y, x = rng.integers(0, side_px, (2, n_cells))
    seeds[y, x] = np.arange(1, n_cells + 1)
    from_seed = ndimage.distance_transform_edt(seeds == 0)
    cells = watershed(from_seed, seeds, mask=from_seed < RADIUS_PX)
    return np.ascontiguousarray(relabel_sequential(cells)[0], dtype=np.int32)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median duration, after one run to warm up."""
    work()
    taken_s = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken_s.append(time.perf_counter() - started)
    return statistics.median(taken_s)


def differing(labels: Labels, pixels: npt.NDArray[np.uint16]) -> list[str]:
    """Columns in which the two sides differ by more than rounding."""
    theirs = regionprops_table(labels, pixels, properties=asked_for())
    ours = measure_cells(labels, pixels)
    return [
        name
        for name, column in PROPERTIES.items()
        if not np.allclose(ours[column], theirs[name], rtol=1e-9, atol=1e-7)
    ]


def asked_for() -> list[str]:
    """Names as scikit-image wants them."""
    return sorted({name.split("-")[0] for name in PROPERTIES} | {"orientation"})


def processor() -> str:
    """Name of the processor, where the system says it."""
    lines = []
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=3000)
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    labels = draw_cells(options.side, options.cells)
    pixels = np.random.default_rng(1).integers(0, 4096, labels.shape, dtype=np.uint16)
    theirs_s = seconds(
        lambda: regionprops_table(labels, pixels, properties=asked_for()), options.repeats
    )
    ours_s = seconds(lambda: measure_cells(labels, pixels), options.repeats)
    texture_s = seconds(lambda: measure_cells(labels, pixels, texture=True), 1) - ours_s
    print(f"machine: {processor()}, {os.cpu_count()} cores")
    print(f"{labels.max()} cells in {options.side} px squared, {pixels.dtype}")
    print(
        f"scikit-image {theirs_s:.2f} s: regionprops_table, {len(PROPERTIES) + 1} columns"
    )
    print(
        f"ours         {ours_s:.2f} s: these, ratios, neighbours; texture {texture_s:.2f} s"
    )
    print(f"ratio        {theirs_s / ours_s:.1f}")
    different = differing(labels, pixels)
    print(f"columns that differ: {', '.join(different) or 'none'}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
