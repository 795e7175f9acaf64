"""What a faster number format changes: the map, the labels, the counts.

    python benchmarks/precision.py IMAGE|FOLDER... [--model starter] [--device cpu]

Every image is segmented in float32 and in each other format that the device computes in.
Printed for each format: the largest and the mean over images of the largest difference of
the distance map, the part of the pixels that change between cell and background, the
images whose count of cells changes, and the time beside float32's.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from samcell_live.recordings.choose_images import choose_images
from samcell_live.recordings.image_file import read_still
from samcell_live.records import Segmentation
from samcell_live.segmentation.inference import check_precision, choose_device
from samcell_live.segmentation.segmenter import Segmenter

HEAD = (
    "| | map off by at most | in the mean image | cell or not | counts changed | faster |\n"
    "| --- | --- | --- | --- | --- | --- |"
)
FORMATS = ("bfloat16", "float16")


class Change(NamedTuple):
    """One image in a faster format beside itself in float32."""

    map_difference: float
    changed_pixels: float
    """Part of the image that is a cell in one and background in the other."""
    cells: int
    cells_more: int


def compare(exact: Segmentation, fast: Segmentation) -> Change:
    """Set two segmentations of one image side by side."""
    cells = int(exact.labels.max())
    return Change(
        float(np.abs(exact.distance - fast.distance).max()),
        float(np.mean((exact.labels > 0) != (fast.labels > 0))),
        cells,
        int(fast.labels.max()) - cells,
    )


def timed(segment: Callable[[], list[Segmentation]]) -> tuple[list[Segmentation], float]:
    """Segment, and give the processor's or, on a GPU, the clock's seconds."""
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    started = clock()
    return segment(), clock() - started


def main() -> None:
    """Segment in every format and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("images", nargs="+")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--device", default="auto")
    chosen = parser.parse_args()
    device = choose_device(chosen.device)
    images = [read_still(path) for path in choose_images(chosen.images).images]

    def segment_in(precision: str) -> tuple[list[Segmentation], float]:
        segmenter = Segmenter.from_name(chosen.model, str(device), precision=precision)
        segmenter(images[0].pixels)
        return timed(lambda: [segmenter(image.pixels) for image in images])

    exact, exact_s = segment_in("float32")
    print(f"{platform.node()}, {device}, torch {torch.__version__}")
    print(f"{chosen.model}, {len(images)} images, {total(exact)} cells\n")
    print(HEAD)
    for precision in FORMATS:
        try:
            check_precision(precision, device)
        except ValueError as not_here:
            print(f"| {precision} | {not_here} | | | | |")
            continue
        found, fast_s = segment_in(precision)
        changes = [compare(*pair) for pair in zip(exact, found, strict=True)]
        print(f"| {precision} | {row(changes)} | {exact_s / fast_s:.2f} |")


def total(found: list[Segmentation]) -> int:
    """Cells in all."""
    return sum(int(one.labels.max()) for one in found)


def row(changes: list[Change]) -> str:
    """Sum the images up."""
    off = [change.map_difference for change in changes]
    moved = [change.cells_more for change in changes if change.cells_more]
    at_most = f" by at most {max(map(abs, moved))}" if moved else ""
    return (
        f"{max(off):.4f} | {np.mean(off):.4f} "
        f"| {np.mean([change.changed_pixels for change in changes]):.3%} "
        f"| {len(moved)} of {len(changes)} images{at_most}; {sum(moved):+d} cells in all"
    )


if __name__ == "__main__":
    main()
