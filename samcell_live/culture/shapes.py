"""Where cells lie and how they are stretched: ellipses from sums over their pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class Shapes(NamedTuple):
    """Columns that follow from a cell's pixels, (n_cells,) each, lengths in pixels.

    Names and definitions are those of scikit-image's ``regionprops``.
    """

    area_px: FloatArray
    centroid_y_px: FloatArray
    centroid_x_px: FloatArray
    equivalent_diameter_area_px: FloatArray
    axis_major_length_px: FloatArray
    axis_minor_length_px: FloatArray
    eccentricity: FloatArray
    orientation_rad: FloatArray


def measure_shapes(sums: npt.NDArray[np.void]) -> Shapes:
    """Area, centroid and ellipse of every cell.

    Parameters
    ----------
    sums : (n_cells,) CellSums
        Of the cells' pixels; no area is 0.

    Returns
    -------
    Shapes
        The ellipse is the one with the cell's second moments; one pixel is a point.
        Round cells have no long axis; scikit-image then says -45 degrees, and so does
        this.
    """
    names = ("area", "y", "x", "yy", "yx", "xx")
    area, y, x, yy, yx, xx = (sums[name].astype(np.float64) for name in names)
    # Of n offsets: (n * sum of squares - square of sum) / n^2.
    variance_y = (area * yy - y * y) / area**2
    variance_x = (area * xx - x * x) / area**2
    covariance = (area * yx - y * x) / area**2
    middle = (variance_y + variance_x) / 2
    swing = np.hypot((variance_y - variance_x) / 2, covariance)
    turn = np.where(
        swing > 0, np.arctan2(2 * covariance, variance_y - variance_x), -np.pi / 2
    )
    widest, narrowest = middle + swing, np.maximum(middle - swing, 0)
    flattening = np.divide(narrowest, widest, out=np.ones_like(area), where=widest > 0)
    return Shapes(
        area_px=area,
        centroid_y_px=sums["y0"] + y / area,
        centroid_x_px=sums["origin_x"] + x / area,
        equivalent_diameter_area_px=np.sqrt(4 / np.pi * area),
        axis_major_length_px=4 * np.sqrt(widest),
        axis_minor_length_px=4 * np.sqrt(narrowest),
        eccentricity=np.sqrt(1 - flattening),
        orientation_rad=turn / 2,
    )
