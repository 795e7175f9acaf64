"""Post-processing beside scikit-image's: labels and table of one dense frame.

Draws cells that touch on all sides, blurs their distance map as a network would, and
times both sides in turn in this process: first pinned to one core, then ours on all.
Exits with 1 if the labels differ anywhere.

    python benchmarks/postprocessing.py
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from scipy import ndimage
from skimage.measure import regionprops_table
from skimage.segmentation import watershed

from samcell_live.culture.cells import cell_table
from samcell_live.records import DistanceMap, Labels, Pixels
from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.flood import flood_in_order
from samcell_live.segmentation.watershed import regions_above, split_cells

PEAK, FILL = 0.47, 0.09
PIXEL_SIZE_UM = 0.65
LIVE_COLUMNS = (
    "area", "centroid", "bbox", "equivalent_diameter_area", "axis_major_length",
    "axis_minor_length", "eccentricity", "orientation",
    "intensity_mean", "intensity_min", "intensity_max",
)  # fmt: skip

TABLES = {"table": LIVE_COLUMNS, "table with solidity": (*LIVE_COLUMNS, "solidity")}

T = TypeVar("T")


class Scene(NamedTuple):
    """One frame after the network."""

    distance: DistanceMap
    pixels: Pixels


def draw_culture(side_px: int, n_cells: int, *, blur_px: float, seed: int = 1) -> Scene:
    """Draw a confluent culture: Voronoi cells of jittered centres, cut at a radius."""
    rng = np.random.default_rng(seed)
    per_side = round(np.sqrt(n_cells))
    pitch_px = side_px / per_side
    grid = np.indices((per_side, per_side)).reshape(2, -1) + 0.5
    jitter = rng.uniform(-0.45, 0.45, grid.shape)
    y, x = np.clip((grid + jitter) * pitch_px, 0, side_px - 1).astype(int)
    centres = np.zeros((side_px, side_px), dtype=np.int32)
    centres[y, x] = np.arange(1, y.size + 1)
    depth, nearest = ndimage.distance_transform_edt(centres == 0, return_indices=True)
    cells = np.where(depth < 0.57 * pitch_px, centres[tuple(nearest)], 0)
    distance = ndimage.gaussian_filter(distance_map(cells), blur_px)
    pixels = rng.integers(0, 4096, distance.shape, dtype=np.uint16)
    return Scene(np.asarray(distance, dtype=np.float32), pixels)


class Stopwatch:
    """Collects the seconds of every step; steps of one name are repeats."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def time(self, step: str, work: Callable[[], T]) -> T:
        """Do some work and note how long it took."""
        start = time.perf_counter()
        result = work()
        self._seconds[step].append(time.perf_counter() - start)
        return result

    def median_s(self, *steps: str) -> float:
        """Sum of the steps' medians."""
        return sum(statistics.median(self._seconds[step]) for step in steps)

    def report(self) -> None:
        """Print every step's median."""
        for step in self._seconds:
            print(f"  {step:45s} {self.median_s(step) * 1e3:9.1f} ms")


def run_ours(watch: Stopwatch, scene: Scene, side: str, threads: int) -> Labels:
    """Labels and table by samcell_live."""
    labels = watch.time(
        f"{side}: labels",
        lambda: split_cells(
            scene.distance, peak_threshold=PEAK, fill_threshold=FILL, threads=threads
        ),
    )
    watch.time(f"{side}: table", lambda: cell_table(labels, scene.pixels, PIXEL_SIZE_UM))
    return labels


def run_theirs(watch: Stopwatch, scene: Scene) -> Labels:
    """Labels and both tables by scikit-image; finding the markers is not counted."""
    markers = regions_above(scene.distance, PEAK)
    mask = scene.distance > FILL
    labels = watch.time(
        "scikit-image: watershed", lambda: watershed(-scene.distance, markers, mask=mask)
    )
    for name, columns in TABLES.items():
        measure = partial(
            regionprops_table,
            labels,
            scene.pixels,
            properties=columns,
            spacing=(PIXEL_SIZE_UM, PIXEL_SIZE_UM),
        )
        watch.time(f"scikit-image: {name}", measure)
    return np.asarray(labels)


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process on one core, where the system knows how, and OpenCV on it."""
    cv2_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if cores:
        os.sched_setaffinity(0, {max(cores)})
    yield
    if cores:
        os.sched_setaffinity(0, cores)
    cv2.setNumThreads(cv2_threads)


def compare(scene: Scene, *, repeats: int) -> bool:
    """Time both sides, print steps and ratios; True if the labels are equal."""
    cores = os.cpu_count() or 1
    watch = Stopwatch()
    run_ours(Stopwatch(), scene, "first call", threads=1)
    equal = True
    for _ in range(repeats):
        with one_core():
            ours = run_ours(watch, scene, "ours, one core", threads=1)
            theirs = run_theirs(watch, scene)
        together = run_ours(watch, scene, "ours, all cores", threads=cores)
        equal &= bool(np.array_equal(ours, theirs) and np.array_equal(together, theirs))
    watch.report()
    for table in TABLES:
        theirs_s = watch.median_s("scikit-image: watershed", f"scikit-image: {table}")
        for side in ("ours, one core", "ours, all cores"):
            ours_s = watch.median_s(f"{side}: labels", f"{side}: table")
            ratio = theirs_s / ours_s
            print(f"  {side} beside watershed + {table}: {ratio:.1f} times as fast")
    print(f"  {ours.max()} cells; labels {'equal' if equal else 'DIFFER'}")
    return equal


def is_flooded_in_order(scene: Scene) -> bool:
    """Whether the fast path was taken."""
    markers = regions_above(scene.distance, PEAK)
    return flood_in_order(scene.distance, markers, scene.distance > FILL, 1) is not None


def machine() -> str:
    """Name the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        models = []
    name = models[0] if models else platform.processor() or platform.machine()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{name}, {os.cpu_count()} cores{load}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=2048, help="of the image, in pixels")
    parser.add_argument("--cells", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"machine: {machine()}")
    all_equal = True
    for blur_px in (1.0, 1.5):
        scene = draw_culture(options.side, options.cells, blur_px=blur_px)
        _, basins = cv2.connectedComponents((scene.distance > FILL).view(np.uint8))
        print(
            f"{options.side} x {options.side} px, blur {blur_px} px, "
            f"{basins.max()} separate areas, "
            f"scikit-image {'not ' if is_flooded_in_order(scene) else ''}asked:"
        )
        all_equal &= compare(scene, repeats=options.repeats)
    sys.exit(0 if all_equal else 1)


if __name__ == "__main__":
    main()
