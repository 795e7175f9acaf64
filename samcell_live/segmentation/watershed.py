"""From a distance map to numbered cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from skimage.segmentation import watershed

if TYPE_CHECKING:
    from samcell_live.records import DistanceMap, Labels


def split_cells(
    distance: DistanceMap,
    *,
    peak_threshold: float,
    fill_threshold: float,
    min_area_px: float = 0,
) -> Labels:
    """Give every cell in a distance map its own number.

    Each 8-connected region above `peak_threshold` seeds one cell. The cell then grows
    downhill until the map falls to `fill_threshold` or it meets another.

    Parameters
    ----------
    distance : (height, width) float32
        Predicted distance map, 0 on background to 1 at a cell's centre.
    peak_threshold, fill_threshold : float
        Heights on that scale, with 0 <= fill_threshold <= peak_threshold <= 1. The
        SAMCell paper calls them ``cells_max`` (0.47) and ``cell_fill`` (0.09).
    min_area_px : float
        Smaller cells are dropped.

    Returns
    -------
    (height, width) int32
        0 on background, 1..n_cells elsewhere. An empty map gives no cells.

    Raises
    ------
    ValueError
        If the thresholds are not in that order.

    Examples
    --------
    >>> ridge = np.array([[0.0, 0.9, 0.2, 0.9, 0.0]], dtype=np.float32)
    >>> split_cells(ridge, peak_threshold=0.47, fill_threshold=0.09).tolist()
    [[0, 1, 1, 2, 0]]
    """
    check_thresholds(peak_threshold, fill_threshold)
    above_peak = (distance > peak_threshold).astype(np.uint8)
    _, seeds = cv2.connectedComponents(above_peak, connectivity=8, ltype=cv2.CV_32S)
    labels = watershed(-distance, seeds, mask=distance > fill_threshold).astype(np.int32)
    return drop_small_cells(labels, min_area_px) if min_area_px > 0 else labels


def check_thresholds(peak_threshold: float, fill_threshold: float) -> None:
    """Refuse thresholds that no cell could satisfy.

    Raises
    ------
    ValueError
        Unless 0 <= fill_threshold <= peak_threshold <= 1.
    """
    if not 0 <= fill_threshold <= peak_threshold <= 1:
        raise ValueError(
            f"The thresholds are peak {peak_threshold} and fill {fill_threshold}; "
            "they must satisfy 0 <= fill <= peak <= 1."
        )


def drop_small_cells(labels: Labels, min_area_px: float) -> Labels:
    """Remove the cells of fewer than `min_area_px` pixels and close the gaps.

    Parameters
    ----------
    labels : (height, width) int32
        0 on background, 1..n_cells elsewhere.
    min_area_px : float
        Smallest area that stays.

    Returns
    -------
    (height, width) int32
        The remaining cells in their old order, numbered without gaps.
    """
    stays = np.bincount(labels.ravel()) >= min_area_px
    stays[0] = False
    numbers = np.where(stays, np.cumsum(stays), 0).astype(np.int32)
    return np.asarray(numbers[labels])
