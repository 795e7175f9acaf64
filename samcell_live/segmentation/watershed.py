"""From a distance map to numbered cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from samcell_live.segmentation import cleaning
from samcell_live.segmentation.flood import flood
from samcell_live.segmentation.peaks import prominent_peaks

if TYPE_CHECKING:
    from samcell_live.records import DistanceMap, Labels

MIN_MARKER_PX = 4
"""Smaller peaks are specks, where a map only just reaches its threshold.

Measured: docs/decisions/0013-default-preset.md.
"""


def split_cells(
    distance: DistanceMap,
    *,
    peak_threshold: float,
    fill_threshold: float,
    prominence: float = 0,
    min_area_px: float = 0,
    fill_holes: bool = False,
    drop_border_cells: bool = False,
    min_marker_px: int = MIN_MARKER_PX,
    markers: Labels | None = None,
    threads: int | None = None,
) -> Labels:
    """Give every cell in a distance map its own number.

    Each 8-connected region above `peak_threshold` seeds one cell, specks excepted; or,
    with a `prominence`, each peak that is prominent. The cell then grows downhill until
    the map falls to `fill_threshold` or it meets another. Where asked for, holes are
    filled first, then border cells are dropped, then small ones.

    Parameters
    ----------
    distance : (height, width) float32
        Predicted distance map, 0 on background to 1 at a cell's centre.
    peak_threshold, fill_threshold : float
        Heights on that scale, with 0 <= fill_threshold <= peak_threshold <= 1. The
        SAMCell paper calls them ``cells_max`` (0.47) and ``cell_fill`` (0.09).
    prominence : float
        Above 0, cells are seeded by `prominent_peaks`.
    min_area_px : float
        Smaller cells are dropped.
    fill_holes : bool
        Holes in one cell are given to it; see `cleaning.fill_holes`.
    drop_border_cells : bool
        Cells that touch the image's edge are dropped.
    min_marker_px : int
        Smaller regions above `peak_threshold` seed nothing.
    markers : (height, width) integers, optional
        Seed the cells with these instead; 0 where there is none. A marker outside of the
        cells' area seeds nothing.
    threads : int, optional
        See `flood`.

    Returns
    -------
    (height, width) int32
        0 on background, 1..n_cells elsewhere, in the order of the markers. An empty map
        gives no cells.

    Raises
    ------
    ValueError
        If the thresholds are not in that order, or the map or the markers are of
        another kind than `flood` takes.

    Examples
    --------
    >>> ridge = np.array([[0.0, 0.9, 0.9, 0.2, 0.9, 0.9, 0.0]] * 2, dtype=np.float32)
    >>> split_cells(ridge, peak_threshold=0.47, fill_threshold=0.09)[0].tolist()
    [0, 1, 1, 1, 2, 2, 0]
    """
    check_thresholds(peak_threshold, fill_threshold)
    filled = np.asarray(distance > fill_threshold)
    if markers is None:
        seeds = find_seeds(distance, peak_threshold, prominence, min_marker_px)
    else:
        seeds = markers
    labels = flood(distance, seeds, filled, threads=threads)
    if markers is not None:
        labels = cleaning.close_gaps(labels)
    if fill_holes:
        labels = cleaning.fill_holes(labels)
    if drop_border_cells:
        labels = cleaning.drop_border_cells(labels)
    if min_area_px > 0:
        labels = cleaning.drop_small_cells(labels, min_area_px)
    return labels


def find_seeds(
    distance: DistanceMap,
    peak_threshold: float,
    prominence: float,
    min_marker_px: int = MIN_MARKER_PX,
) -> Labels:
    """Number what seeds a cell: prominent peaks, or without a prominence, regions."""
    if prominence > 0:
        return prominent_peaks(distance, peak_threshold, prominence)
    return regions_above(distance, peak_threshold, min_marker_px)


def regions_above(
    distance: DistanceMap, peak_threshold: float, min_px: int = MIN_MARKER_PX
) -> Labels:
    """Number the 8-connected regions above a height.

    Parameters
    ----------
    distance : (height, width) float32
    peak_threshold : float
    min_px : int
        Smaller regions are left out.

    Returns
    -------
    (height, width) int32
        0 elsewhere, 1..n_regions without gaps.
    """
    above = np.asarray(distance > peak_threshold)
    if not above.any():
        return np.zeros(distance.shape, dtype=np.int32)
    n, regions, statistics, _ = cv2.connectedComponentsWithStats(
        above.view(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    stays = statistics[:, cv2.CC_STAT_AREA] >= min_px
    stays[0] = False
    if np.count_nonzero(stays) == n - 1:
        return np.asarray(regions, dtype=np.int32)
    numbers = np.where(stays, np.cumsum(stays), 0).astype(np.int32)
    return np.asarray(numbers[regions])


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
