"""Where cells are on the pixel grid."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from samcell_live.culture.sums import sum_cells
from samcell_live.records import Labels, Pixels

IntArray = npt.NDArray[np.int64]


class Places(NamedTuple):
    """Columns that say which cell it is and where, (n_cells,) each.

    The box is half-open: it ends before row `bbox_y1_px` and column `bbox_x1_px`.
    """

    label: IntArray
    bbox_y0_px: IntArray
    bbox_x0_px: IntArray
    bbox_y1_px: IntArray
    bbox_x1_px: IntArray
    touches_border: npt.NDArray[np.bool_]
    """Whether the image's edge cuts the cell."""

    @property
    def boxes(self) -> IntArray:
        """(n_cells, 4): y0, x0, y1, x1."""
        return np.column_stack(self[1:5])

    @property
    def area_bbox_px(self) -> IntArray:
        """Area of the box."""
        return (self.bbox_y1_px - self.bbox_y0_px) * (self.bbox_x1_px - self.bbox_x0_px)


def sum_places(labels: Labels, pixels: Pixels | None = None) -> npt.NDArray[np.void]:
    """Sum up every cell's pixels, having looked whether the labels are numbers of cells.

    Parameters
    ----------
    labels : (height, width) int32
        0 on background, 1..n_cells elsewhere, with no gaps.
    pixels : (height, width) integers, optional
        Their counts are summed, too; without them those sums are 0.

    Returns
    -------
    (n_cells,) CellSums

    Raises
    ------
    ValueError
        If a label is negative, or one between 1 and n_cells has no pixel.
    """
    lowest, highest = int(labels.min(initial=0)), int(labels.max(initial=0))
    if lowest < 0 or highest > labels.size:
        raise ValueError(
            f"The labels of these {labels.size} pixels go from {lowest} to {highest}. "
            "Number the cells 1..n_cells without gaps; 0 is background."
        )
    counts = np.zeros(labels.shape, dtype=np.uint8) if pixels is None else pixels
    sums = sum_cells(labels, counts, highest)
    missing = np.flatnonzero(sums["area"] == 0)
    if missing.size:
        raise ValueError(
            f"Label {missing[0] + 1} has no pixel, but there are labels up to {highest}. "
            "Number the cells 1..n_cells without gaps, for example with "
            "skimage.segmentation.relabel_sequential."
        )
    return sums


def measure_places(sums: npt.NDArray[np.void], shape: tuple[int, ...]) -> Places:
    """Number the cells and give their boxes in an image of (height, width)."""
    y0, x0, y1, x1 = (sums[name].copy() for name in ("y0", "x0", "y1", "x1"))
    cut = (y0 == 0) | (x0 == 0) | (y1 == shape[0]) | (x1 == shape[1])
    return Places(np.arange(1, len(sums) + 1), y0, x0, y1, x1, cut)
