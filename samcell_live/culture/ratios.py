"""Plain numbers for a cell's form, made from its areas and lengths."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from samcell_live.culture.outlines import Outlines
from samcell_live.culture.shapes import Shapes
from samcell_live.records import NAN

FloatArray = npt.NDArray[np.float64]


class Ratios(NamedTuple):
    """Columns that are ratios, (n_cells,) each, without unit."""

    extent: FloatArray
    solidity: FloatArray
    circularity: FloatArray
    compactness: FloatArray
    aspect_ratio: FloatArray
    roundness: FloatArray


def form_ratios(
    shapes: Shapes, outlines: Outlines, area_bbox_px: npt.NDArray[np.int64]
) -> Ratios:
    """Compare areas and lengths of every cell.

    Parameters
    ----------
    shapes, outlines : (n_cells,) columns
        The cells' areas, axes and perimeters.
    area_bbox_px : (n_cells,) int64
        Areas of the bounding boxes.

    Returns
    -------
    Ratios
        `extent` and `solidity` are scikit-image's: area over that of the bounding box
        and of the convex hull. `circularity` and `compactness` are both
        4 pi area / perimeter^2: 1 for a disk, less for everything else, but more for
        cells of a few pixels, whose perimeter comes out too short. `aspect_ratio` is
        the major over the minor axis, `roundness` 4 area / (pi major axis^2). NaN where
        the divisor is 0.

    References
    ----------
    Cox (1927), "A method of assigning numerical and percentage values to the degree of
    roundness of sand grains", for 4 pi A / P^2.
    """
    circularity = _ratio(4 * np.pi * shapes.area_px, outlines.perimeter_px**2)
    return Ratios(
        extent=shapes.area_px / area_bbox_px,
        solidity=shapes.area_px / outlines.area_convex_px,
        circularity=circularity,
        compactness=circularity,
        aspect_ratio=_ratio(shapes.axis_major_length_px, shapes.axis_minor_length_px),
        roundness=_ratio(4 * shapes.area_px, np.pi * shapes.axis_major_length_px**2),
    )


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    ratio = np.full(above.shape, NAN)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio
