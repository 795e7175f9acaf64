"""Who is next to whom, and how far apart cells are."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from samcell_live.records import NAN, Labels

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NEIGHBOUR_DISTANCE = 5.0
"""Gap up to which cells are neighbours: micrometres, or pixels without calibration."""
CELLS_AT_ONCE = 1000
TOUCHING = np.ones((3, 3), dtype=np.uint8)


class Neighbours(NamedTuple):
    """Columns that follow from where the other cells are, (n_cells,) each, in pixels.

    Distances are between centroids. In a field with one cell they are NaN.
    """

    neighbour_count: IntArray
    nearest_neighbour_distance_px: FloatArray
    mean_neighbour_distance_px: FloatArray
    mean_cell_distance_px: FloatArray


def measure_neighbours(
    labels: Labels, boxes: IntArray, centroids: FloatArray, reach_px: float
) -> Neighbours:
    """Find every cell's neighbours.

    Two cells are neighbours where the gap between their outlines, along the sides of
    the pixels, is at most `reach_px`: 0 for cells that touch, at a corner at least.

    Parameters
    ----------
    labels : (height, width) int32
        0 on background, 1..n_cells elsewhere, with no gaps.
    boxes : (n_cells, 4) int64
        Half-open bounding boxes: y0, x0, y1, x1.
    centroids : (n_cells, 2) float64
        Rows before columns.
    reach_px : float
        0 or more.

    Returns
    -------
    Neighbours
        Cells beyond the edge of the image are unknown and not counted. The mean
        distance to neighbours is NaN for a cell without any. That to all cells takes
        time in proportion to the square of their number.
    """
    count = np.zeros(len(boxes), dtype=np.int64)
    mean_px = np.full(len(boxes), NAN)
    for cell, box in enumerate(boxes):
        others = _within_reach(labels, cell + 1, box, reach_px)
        if others.size:
            count[cell] = others.size
            steps_px = centroids[others - 1] - centroids[cell]
            mean_px[cell] = np.hypot(steps_px[:, 0], steps_px[:, 1]).mean()
    return Neighbours(count, _to_nearest(centroids), mean_px, _to_all(centroids))


def reach_in_pixels(neighbour_distance_um: float | None, pixel_size_um: float) -> float:
    """Turn the gap up to which cells are neighbours into pixels.

    Parameters
    ----------
    neighbour_distance_um : float, optional
        5 micrometres unless given, or 5 pixels without calibration.
    pixel_size_um : float
        NaN where unknown.

    Raises
    ------
    ValueError
        If the distance is below 0, or the pixel size is needed and unknown.

    Examples
    --------
    >>> reach_in_pixels(None, 0.5), reach_in_pixels(None, math.nan)
    (10.0, 5.0)
    """
    uncalibrated = math.isnan(pixel_size_um)
    if neighbour_distance_um is None:
        return NEIGHBOUR_DISTANCE if uncalibrated else NEIGHBOUR_DISTANCE / pixel_size_um
    if not 0 <= neighbour_distance_um < math.inf:
        raise ValueError(
            f"Neighbours were asked for within {neighbour_distance_um} um, but a gap is 0 "
            "or more. Give 0 for cells that touch."
        )
    if uncalibrated:
        raise ValueError(
            f"Neighbours were asked for within {neighbour_distance_um} um, but the pixel "
            "size is unknown. Give the pixel size, or leave the distance out: it is then "
            f"{NEIGHBOUR_DISTANCE:g} pixels."
        )
    return neighbour_distance_um / pixel_size_um


def _within_reach(labels: Labels, label: int, box: IntArray, reach_px: float) -> Labels:
    """Labels of the cells of which a pixel lies within reach of one cell."""
    margin = int(reach_px) + 1
    y0, x0 = np.maximum(box[:2] - margin, 0)
    y1, x1 = box[2:] + margin
    around = labels[y0:y1, x0:x1]
    # Between the sides of two pixels lies as much as between the centre of one and the
    # nearest centre among the other and all that touch it.
    grown = cv2.dilate((around == label).astype(np.uint8), TOUCHING)
    gap_px = cv2.distanceTransform(1 - grown, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    found = np.unique(around[gap_px <= np.float32(reach_px)])
    return np.asarray(found[(found != 0) & (found != label)])


def _to_nearest(centroids: FloatArray) -> FloatArray:
    """Distance from each cell's centroid to the nearest other one."""
    if len(centroids) < 2:
        return np.full(len(centroids), NAN)
    distances, _ = KDTree(centroids).query(centroids, k=[2])  # the first is itself
    return np.asarray(distances, dtype=np.float64).ravel()


def _to_all(centroids: FloatArray) -> FloatArray:
    """Mean distance from each cell's centroid to all other ones."""
    if len(centroids) < 2:
        return np.full(len(centroids), NAN)
    starts = range(0, len(centroids), CELLS_AT_ONCE)  # the whole matrix may not fit
    sums = [cdist(centroids[i : i + CELLS_AT_ONCE], centroids).sum(axis=1) for i in starts]
    return np.asarray(np.concatenate(sums) / (len(centroids) - 1))
