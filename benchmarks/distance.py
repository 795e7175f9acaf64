"""The distance map beside the loop that transforms the whole image once per cell.

Times both sides in turn in this process, on one thread, and prints the ratio; then the
time for a large frame, on which the loop would take minutes. Exits with 1 if the maps
differ anywhere or the large frame takes longer than `TARGET_S`.

    python benchmarks/distance.py [--side 512] [--cells 190]
"""

from __future__ import annotations

import argparse
import os
import sys

import numpy as np
from measurements import draw_cells, processor, seconds
from scipy.ndimage import distance_transform_edt

from samcell_live.records import DistanceMap, Labels
from samcell_live.segmentation.distance import distance_map

LARGE_SIDE_PX, LARGE_CELLS, TARGET_S = 2048, 3000, 0.5


def one_whole_image_per_cell(labels: Labels) -> DistanceMap:
    """Transform the image once for every cell, as the method was described."""
    distance = np.zeros(labels.shape)
    for label in np.unique(labels[labels > 0]):
        cell = labels == label
        depth = distance_transform_edt(cell)
        distance[cell] = (depth / depth.max())[cell]
    return distance.astype(np.float32)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--cells", type=int, default=190)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    labels = draw_cells(options.side, options.cells)
    equal = np.array_equal(distance_map(labels), one_whole_image_per_cell(labels))
    loop_s = seconds(lambda: one_whole_image_per_cell(labels), options.repeats)
    ours_s = seconds(lambda: distance_map(labels), options.repeats)
    large = draw_cells(LARGE_SIDE_PX, LARGE_CELLS)
    large_s = seconds(lambda: distance_map(large), options.repeats)
    print(f"machine: {processor()}, {os.cpu_count()} cores; one thread is used")
    print(f"{labels.max()} cells in {options.side} px squared, medians")
    print(f"one transform per cell {loop_s:.2f} s")
    print(f"ours                   {ours_s:.4f} s")
    print(f"ratio                  {loop_s / ours_s:.0f}")
    print(f"every pixel is equal:  {'yes' if equal else 'no'}")
    print(f"{large.max()} cells in {LARGE_SIDE_PX} px squared: ours {large_s:.2f} s")
    sys.exit(0 if equal and large_s <= TARGET_S else 1)


if __name__ == "__main__":
    main()
