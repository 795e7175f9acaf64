"""Labels to a table: one row per cell, all cells measured at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from samcell_live.culture.sums import sum_cells
from samcell_live.records import CellRow, Labels, Pixels

FloatArray = npt.NDArray[np.float64]
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
        If the shapes differ, the image is not of integers, a label is negative or one
        between 1 and n_cells has no pixel.

    Examples
    --------
    >>> labels = np.array([[1, 1, 0], [0, 0, 2]], dtype=np.int32)
    >>> table = cell_table(labels, labels.astype(np.uint8), pixel_size_um=0.5)
    >>> table[:, CellRow._fields.index("area_um2")].tolist()
    [0.5, 0.25]
    """
    sums = sum_cells(labels, pixels, _count_cells(labels, pixels))
    _check_gaps(sums)
    shape = _shapes(sums)
    height, width = labels.shape
    measured = {
        "area_px": shape.area,
        "area_um2": shape.area * pixel_size_um**2,
        "centroid_y_um": shape.y * pixel_size_um,
        "centroid_x_um": shape.x * pixel_size_um,
        "bbox_y0_px": sums["y0"],
        "bbox_x0_px": sums["x0"],
        "bbox_y1_px": sums["y1"],
        "bbox_x1_px": sums["x1"],
        "equivalent_diameter_um": np.sqrt(4 / np.pi * shape.area) * pixel_size_um,
        "axis_major_um": 4 * np.sqrt(shape.widest) * pixel_size_um,
        "axis_minor_um": 4 * np.sqrt(shape.narrowest) * pixel_size_um,
        "eccentricity": _eccentricity(shape),
        "orientation_rad": shape.orientation,
        "mean_counts": sums["counts"] / shape.area,
        "min_counts": sums["min_counts"],
        "max_counts": sums["max_counts"],
        "touches_border": (
            (sums["y0"] == 0)
            | (sums["x0"] == 0)
            | (sums["y1"] == height)
            | (sums["x1"] == width)
        ),
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


def _shapes(sums: npt.NDArray[np.void]) -> _Shapes:
    """Moments about each cell's own centre, from integers so small that none is rounded.

    The variance of n offsets is (n * sum of squares - square of sum) / n**2, exact up to
    the division for cells of up to about 100,000 pixels.
    """
    names = ("area", "y", "x", "yy", "yx", "xx")
    area, y, x, yy, yx, xx = (sums[name].astype(np.float64) for name in names)
    var_y = (area * yy - y * y) / area**2
    var_x = (area * xx - x * x) / area**2
    covariance = (area * yx - y * x) / area**2
    middle, swing = (var_y + var_x) / 2, np.hypot((var_y - var_x) / 2, covariance)
    # Round cells have no long axis; scikit-image then says -45 degrees.
    turn = np.where(swing > 0, np.arctan2(2 * covariance, var_y - var_x), -np.pi / 2)
    return _Shapes(
        area,
        sums["y0"] + y / area,
        sums["origin_x"] + x / area,
        middle + swing,
        np.maximum(middle - swing, 0),
        turn / 2,
    )


def _eccentricity(shape: _Shapes) -> FloatArray:
    ratio = np.divide(
        shape.narrowest,
        shape.widest,
        out=np.ones_like(shape.area),
        where=shape.widest > 0,
    )
    return np.asarray(np.sqrt(1 - ratio))


def _count_cells(labels: Labels, pixels: Pixels) -> int:
    """Check what the compiled pass relies on; gives the largest label."""
    if labels.shape != pixels.shape:
        raise ValueError(
            f"The labels are {labels.shape} and the image is {pixels.shape}, but each "
            "pixel needs its label. Give the labels on the grid of the image."
        )
    if pixels.dtype.kind not in "iu":
        raise ValueError(
            f"The image is {pixels.dtype}, but counts are integers. "
            "Give the image as the camera made it."
        )
    lowest, highest = int(labels.min(initial=0)), int(labels.max(initial=0))
    if lowest < 0 or highest > labels.size:
        raise ValueError(
            f"The labels of these {labels.size} pixels go from {lowest} to {highest}. "
            "Number the cells 1..n_cells without gaps; 0 is background."
        )
    return highest


def _check_gaps(sums: npt.NDArray[np.void]) -> None:
    missing = np.flatnonzero(sums["area"] == 0)
    if missing.size:
        raise ValueError(
            f"Label {missing[0] + 1} has no pixel, but there are labels up to "
            f"{len(sums)}. Number the cells 1..n_cells without gaps."
        )
