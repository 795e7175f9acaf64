"""What a cell's measurements are made of, summed in one pass over the image."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from samcell_live.compiled import ZERO, compiled
from samcell_live.records import Labels, Pixels

CellSums = np.dtype(
    [
        ("area", np.int64),
        ("y0", np.int64),  # half-open bounding box
        ("x0", np.int64),
        ("y1", np.int64),
        ("x1", np.int64),
        ("origin_x", np.int64),  # y0 is the other coordinate
        ("y", np.int64),  # sums of offsets from the origin, and of their products
        ("x", np.int64),
        ("yy", np.int64),
        ("yx", np.int64),
        ("xx", np.int64),
        ("counts", np.int64),
        ("min_counts", np.int64),
        ("max_counts", np.int64),
    ],
    align=True,
)
"""Integers, so nothing is rounded. Offsets are from the cell's first pixel in raster
order, so they are small wherever in the image the cell lies."""

CellRecord: TypeAlias = Any
"""One row of `CellSums`; numpy has no type for it that knows its fields."""

_HIGHEST = np.iinfo(np.int64).max


def sum_cells(labels: Labels, pixels: Pixels, n_cells: int) -> npt.NDArray[np.void]:
    """Sum up every cell of one frame.

    Parameters
    ----------
    labels : (height, width) int32
        0 on background, up to `n_cells` elsewhere.
    pixels : (height, width) integers
    n_cells : int

    Returns
    -------
    (n_cells,) CellSums
        Row i is the cell labelled i + 1; its area is 0 where there is no such pixel.
    """
    sums = np.zeros(n_cells, dtype=CellSums)
    labels = np.ascontiguousarray(labels, dtype=np.int32)
    _sum_runs(labels, np.ascontiguousarray(pixels), sums)
    return sums


@compiled
def _sum_runs(labels: Labels, pixels: npt.NDArray[Any], sums: npt.NDArray[np.void]) -> None:
    """Go along every row, from one run of equal labels to the next."""
    height, width = labels.shape
    for y in range(height):
        start = ZERO
        while start < width:
            label, stop = labels[y, start], start
            total, darkest, brightest = ZERO, _HIGHEST, -_HIGHEST
            while stop < width and labels[y, stop] == label:
                count: Any = np.int64(pixels[y, stop])
                total += count
                darkest, brightest = min(darkest, count), max(brightest, count)
                stop += 1
            if label != 0:
                cell = sums[label - 1]
                _add_run(cell, y, start, stop)
                cell.counts += total
                cell.min_counts = min(cell.min_counts, darkest)
                cell.max_counts = max(cell.max_counts, brightest)
            start = stop


@compiled
def _add_run(cell: CellRecord, y: int, start: int, stop: int) -> None:
    """Add the pixels from (y, start) to before (y, stop) to a cell's shape."""
    if cell.area == 0:
        cell.y0, cell.x0, cell.x1, cell.origin_x = y, start, stop, start
        cell.min_counts, cell.max_counts = _HIGHEST, -_HIGHEST
    n = stop - start
    down, right = y - cell.y0, start - cell.origin_x
    # Sums of 0, 1, .., n - 1 and of their squares.
    ramp, squares = n * (n - 1) // 2, n * (n - 1) * (2 * n - 1) // 6
    x = n * right + ramp
    cell.area += n
    cell.y += n * down
    cell.x += x
    cell.yy += n * down * down
    cell.yx += down * x
    cell.xx += n * right * right + 2 * right * ramp + squares
    cell.x0, cell.x1, cell.y1 = min(cell.x0, start), max(cell.x1, stop), y + 1
