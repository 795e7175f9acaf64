"""Labels to a table: one row per cell, all cells measured at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from samcell_live.culture.places import measure_places, sum_places
from samcell_live.culture.shapes import measure_shapes
from samcell_live.records import CellRow, Labels, Pixels

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
    _check(labels, pixels)
    sums = sum_places(labels, pixels)
    shape, place = measure_shapes(sums), measure_places(sums, labels.shape)
    measured = {
        "area_px": shape.area_px,
        "area_um2": shape.area_px * pixel_size_um**2,
        "centroid_y_um": shape.centroid_y_px * pixel_size_um,
        "centroid_x_um": shape.centroid_x_px * pixel_size_um,
        "bbox_y0_px": place.bbox_y0_px,
        "bbox_x0_px": place.bbox_x0_px,
        "bbox_y1_px": place.bbox_y1_px,
        "bbox_x1_px": place.bbox_x1_px,
        "equivalent_diameter_um": shape.equivalent_diameter_area_px * pixel_size_um,
        "axis_major_um": shape.axis_major_length_px * pixel_size_um,
        "axis_minor_um": shape.axis_minor_length_px * pixel_size_um,
        "eccentricity": shape.eccentricity,
        "orientation_rad": shape.orientation_rad,
        "mean_counts": sums["counts"] / shape.area_px,
        "min_counts": sums["min_counts"],
        "max_counts": sums["max_counts"],
        "touches_border": place.touches_border,
    }
    columns = [measured[name] for name in CellRow._fields]
    return np.column_stack(columns).astype(np.float32)


def _check(labels: Labels, pixels: Pixels) -> None:
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
