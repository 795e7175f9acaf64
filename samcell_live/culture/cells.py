"""Labels to a table: one row per cell, all cells measured at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from samcell_live.records import CellRow, Labels, Pixels

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
CellTable = npt.NDArray[np.float32]
"""(n_cells, n_columns), columns as in `CellRow`; row i is the cell labelled i + 1."""


def cell_table(labels: Labels, pixels: Pixels, pixel_size_um: float) -> CellTable:
    """Measure every cell of one frame.

    The definitions are those of scikit-image's ``regionprops_table`` with
    ``spacing=pixel_size_um``.

    Parameters
    ----------
    labels : (height, width) int32
        0 on background, 1..n_cells elsewhere, with no gaps.
    pixels : (height, width) uint8 or uint16
        The image that the labels belong to.
    pixel_size_um : float
        NaN where unknown; micrometres are then NaN too.

    Returns
    -------
    (n_cells, n_columns) float32
        Row i is the cell labelled i + 1, columns as in `CellRow`.

    Raises
    ------
    ValueError
        If the shapes differ, or a label between 1 and n_cells has no pixel.

    Examples
    --------
    >>> labels = np.array([[1, 1, 0], [0, 0, 2]], dtype=np.int32)
    >>> table = cell_table(labels, labels.astype(np.uint8), pixel_size_um=0.5)
    >>> table[:, CellRow._fields.index("area_um2")].tolist()
    [0.5, 0.25]
    """
    if labels.shape != pixels.shape:
        raise ValueError(
            f"The labels are {labels.shape} and the image is {pixels.shape}, but each "
            "pixel needs its label. Give the labels on the grid of the image."
        )
    y0, x0, y1, x1 = _boxes(labels).T
    y, x = np.nonzero(labels)
    cell = labels[y, x].astype(np.intp) - 1
    shape = _shapes(cell, y.astype(np.float64), x.astype(np.float64))
    mean, darkest, brightest = _intensities(cell, pixels[y, x], shape.area)
    height, width = labels.shape
    measured = {
        "area_px": shape.area,
        "area_um2": shape.area * pixel_size_um**2,
        "centroid_y_um": shape.y * pixel_size_um,
        "centroid_x_um": shape.x * pixel_size_um,
        "bbox_y0_px": y0,
        "bbox_x0_px": x0,
        "bbox_y1_px": y1,
        "bbox_x1_px": x1,
        "equivalent_diameter_um": np.sqrt(4 / np.pi * shape.area) * pixel_size_um,
        "axis_major_um": 4 * np.sqrt(shape.widest) * pixel_size_um,
        "axis_minor_um": 4 * np.sqrt(shape.narrowest) * pixel_size_um,
        "eccentricity": _eccentricity(shape),
        "orientation_rad": shape.orientation,
        "mean_counts": mean,
        "min_counts": darkest,
        "max_counts": brightest,
        "touches_border": (y0 == 0) | (x0 == 0) | (y1 == height) | (x1 == width),
    }
    columns = [measured[name] for name in CellRow._fields]
    return np.column_stack(columns).astype(np.float32)


class _Shapes(NamedTuple):
    """Moments of every cell, (n_cells,) float64 each, in pixels."""

    area: FloatArray
    y: FloatArray
    x: FloatArray
    widest: FloatArray
    """Variance of the pixels along the long axis."""
    narrowest: FloatArray
    orientation: FloatArray


def _shapes(cell: IntArray, y: FloatArray, x: FloatArray) -> _Shapes:
    """Moments about each cell's own centre, so that no digits are lost far from 0."""
    area = np.bincount(cell).astype(np.float64)
    centre_y = np.bincount(cell, y) / area
    centre_x = np.bincount(cell, x) / area
    y, x = y - centre_y[cell], x - centre_x[cell]
    yy = np.bincount(cell, y * y) / area
    xx = np.bincount(cell, x * x) / area
    yx = np.bincount(cell, y * x) / area
    middle, swing = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    # Round cells have no long axis; scikit-image then says -45 degrees.
    turn = np.where(swing > 0, np.arctan2(2 * yx, yy - xx), -np.pi / 2)
    return _Shapes(
        area, centre_y, centre_x, middle + swing, np.maximum(middle - swing, 0), turn / 2
    )


def _eccentricity(shape: _Shapes) -> FloatArray:
    ratio = np.divide(
        shape.narrowest,
        shape.widest,
        out=np.ones_like(shape.area),
        where=shape.widest > 0,
    )
    return np.asarray(np.sqrt(1 - ratio))


def _intensities(
    cell: IntArray, counts: Pixels, area: FloatArray
) -> tuple[FloatArray, Pixels, Pixels]:
    """Mean, minimum and maximum of every cell."""
    limits = np.iinfo(counts.dtype)
    darkest = np.full(area.size, limits.max, dtype=counts.dtype)
    brightest = np.full(area.size, limits.min, dtype=counts.dtype)
    np.minimum.at(darkest, cell, counts)
    np.maximum.at(brightest, cell, counts)
    return np.bincount(cell, counts) / area, darkest, brightest


def _boxes(labels: Labels) -> npt.NDArray[np.int64]:
    """Half-open bounding boxes, (n_cells, 4): y0, x0, y1, x1."""
    boxes = ndimage.find_objects(labels)
    for label, box in enumerate(boxes, start=1):
        if box is None:
            raise ValueError(
                f"Label {label} has no pixel, but there are labels up to {len(boxes)}. "
                "Number the cells 1..n_cells without gaps."
            )
    corners = [(y.start, x.start, y.stop, x.stop) for y, x in boxes]
    return np.array(corners, dtype=np.int64).reshape(-1, 4)
