"""Perimeters and convex hulls of all cells, one box after another, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from samcell_live.compiled import compiled
from samcell_live.culture.hulls import convex_image, feret_diameter
from samcell_live.culture.perimeters import euler_number, perimeter, perimeter_crofton
from samcell_live.records import Labels, Mask

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Outlines(NamedTuple):
    """Columns that follow from a cell's outline, (n_cells,) each, lengths in pixels.

    Names and definitions are those of scikit-image's ``regionprops``; what ends in
    ``_convex`` is of the convex hull.
    """

    area_convex_px: FloatArray
    perimeter_px: FloatArray
    perimeter_crofton_px: FloatArray
    perimeter_convex_px: FloatArray
    feret_diameter_max_px: FloatArray
    euler_number: IntArray


def measure_outlines(labels: Labels, boxes: IntArray) -> Outlines:
    """Measure the outline of every cell, and that of its convex hull.

    Parameters
    ----------
    labels : (height, width) int32
        0 on background, 1..n_cells elsewhere, with no gaps.
    boxes : (n_cells, 4) int64
        Half-open bounding boxes: y0, x0, y1, x1.

    Returns
    -------
    Outlines
        A cell that the image cuts is closed along the cut. Memory beside the result is
        a few bytes per pixel of the largest box.
    """
    n_cells = len(boxes)
    outlines = Outlines(
        area_convex_px=np.empty(n_cells),
        perimeter_px=np.empty(n_cells),
        perimeter_crofton_px=np.empty(n_cells),
        perimeter_convex_px=np.empty(n_cells),
        feret_diameter_max_px=np.empty(n_cells),
        euler_number=np.empty(n_cells, dtype=np.int64),
    )
    _fill_in(outlines, labels, boxes)
    return outlines


@compiled
def _fill_in(outlines: Outlines, labels: Labels, boxes: IntArray) -> None:
    for cell in range(len(boxes)):
        mask = _mask(labels, cell + 1, boxes[cell])
        hull = convex_image(mask)
        outlines.area_convex_px[cell] = hull.sum()
        outlines.perimeter_px[cell] = perimeter(mask)
        outlines.perimeter_crofton_px[cell] = perimeter_crofton(mask)
        outlines.perimeter_convex_px[cell] = perimeter(hull)
        outlines.feret_diameter_max_px[cell] = feret_diameter(hull)
        outlines.euler_number[cell] = euler_number(mask)


@compiled
def _mask(labels: Labels, label: int, box: IntArray) -> Mask:
    """Cut one cell out, with a margin of one pixel."""
    y0, x0, y1, x1 = box
    mask = np.zeros((y1 - y0 + 2, x1 - x0 + 2), dtype=np.bool_)
    for y in range(y0, y1):
        for x in range(x0, x1):
            mask[y - y0 + 1, x - x0 + 1] = labels[y, x] == label
    return mask
