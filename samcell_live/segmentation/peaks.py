"""Peaks of a distance map that stand for cells of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from samcell_live.compiled import ZERO, compiled
from samcell_live.segmentation.flood_layout import Counts
from samcell_live.segmentation.flood_order import from_the_highest

if TYPE_CHECKING:
    from samcell_live.records import DistanceMap, Labels

Heights = npt.NDArray[np.float32]
"""(n_padded,) a map with a margin of one pixel all round, flattened."""
Places = npt.NDArray[np.int32]
"""Indices into `Heights`."""

LOW = np.int32(-1)
"""In place of a top, where the map is too low to matter."""


def prominent_peaks(
    distance: DistanceMap, peak_threshold: float, prominence: float
) -> Labels:
    """Number the peaks from which the map falls far on every way to a higher one.

    A long cell is often one ridge with a few tops, and the valley between two cells that
    touch is often shallow. One height cannot tell them apart, but how deep the valley is
    can: a peak's topographic prominence, which mathematical morphology calls its dynamic
    (Grimaud, "A new measure of contrast: the dynamics", SPIE 1769, 1992).

    Parameters
    ----------
    distance : (height, width) float32
        0 to 1.
    peak_threshold : float
        Lower peaks do not count.
    prominence : float
        How far the map falls between a peak and any higher one; above 0.

    Returns
    -------
    (height, width) int32
        1..n_peaks at one pixel of each peak, in raster order; 0 elsewhere.

    Examples
    --------
    >>> ridge = np.array([[0.0, 0.9, 0.8, 0.85, 0.3, 0.7, 0.0]], dtype=np.float32)
    >>> prominent_peaks(ridge, 0.3, 0.25)[0].tolist()
    [0, 1, 0, 0, 0, 2, 0]
    """
    heights = np.pad(distance, 1, constant_values=-1).ravel()
    stride = distance.shape[1] + 2
    # What joins peaks at or below this leaves both prominent.
    floor = max(peak_threshold - prominence, 0.0)
    higher = _climb(heights, stride, floor)
    passes = _find_passes(heights, higher, stride)
    falling = from_the_highest(passes.height)
    is_peak = _keep_prominent(heights, higher, passes, falling, peak_threshold, prominence)
    inside = is_peak.reshape(-1, stride)[1:-1, 1:-1]
    numbers = np.cumsum(inside, dtype=np.int32).reshape(inside.shape)
    return np.where(inside, numbers, np.int32(0))


class _Passes(NamedTuple):
    """Where one leaves the slope of one top for that of another."""

    one: Places
    other: Places
    """Tops on either side."""
    height: Heights


@compiled
def _climb(heights: Heights, stride: int, floor: float) -> Places:
    """Find the top that one reaches from each pixel by always going up steepest.

    Returns
    -------
    (n_padded,) int32
        Place of the top; -1 at or below the floor.
    """
    higher = np.full(heights.size, LOW, np.int32)
    for place in range(stride, heights.size - stride):
        if heights[place] > floor:
            higher[place] = _steepest(heights, place, stride)
    for place in range(heights.size):
        if higher[place] != LOW:
            higher[place] = _top(higher, place)
    return higher


@compiled
def _steepest(heights: Heights, place: int, stride: int) -> int:
    """Find the highest of a pixel and its neighbours; the first of those as high."""
    best, height = place, heights[place]
    for step in (1, stride - 1, stride, stride + 1):  # backwards, so the last of these
        if heights[place - step] >= height:
            best = place - step
            height = heights[best]
    for step in (1, stride - 1, stride, stride + 1):
        if heights[place + step] > height:
            best = place + step
            height = heights[best]
    return best


@compiled
def _find_passes(heights: Heights, tops: Places, stride: int) -> _Passes:
    """Collect neighbouring pixels of different tops; one goes over the lower of the two."""
    n = _count_passes(tops, stride)
    passes = _Passes(np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.float32))
    n = ZERO
    for place in range(stride, heights.size - stride):
        top = tops[place]
        if top == LOW:
            continue
        for step in (1, stride - 1, stride, stride + 1):
            near = tops[place + step]
            if near != top and near != LOW:
                passes.one[n], passes.other[n] = top, near
                passes.height[n] = min(heights[place], heights[place + step])
                n += 1
    return passes


@compiled
def _count_passes(tops: Places, stride: int) -> int:
    n = ZERO
    for place in range(stride, tops.size - stride):
        top = tops[place]
        if top == LOW:
            continue
        for step in (1, stride - 1, stride, stride + 1):
            near = tops[place + step]
            n += near != top and near != LOW
    return n


@compiled
def _keep_prominent(
    heights: Heights,
    higher: Places,
    passes: _Passes,
    falling: Counts,
    peak_threshold: float,
    prominence: float,
) -> npt.NDArray[np.bool_]:
    """Let islands rise out of falling water, and join them at their highest pass.

    Parameters
    ----------
    heights : (n_padded,) float32
    higher : (n_padded,) int32
        The top of each pixel, and of a top itself; written: a higher one, once joined.
    passes : _Passes
    falling : (n_passes,) int64
        Their order from the highest to the lowest.
    peak_threshold, prominence : float

    Returns
    -------
    (n_padded,) bool
        Where the peaks are.
    """
    is_peak = np.zeros(heights.size, np.bool_)
    for i in falling:
        island, other = _top(higher, passes.one[i]), _top(higher, passes.other[i])
        if island == other:
            continue
        if _is_higher(heights, other, island):
            island, other = other, island
        if heights[other] - passes.height[i] >= prominence:
            is_peak[other] = heights[other] > peak_threshold
        higher[other] = island
    for place in range(heights.size):
        if higher[place] == place and heights[place] > peak_threshold:
            is_peak[place] = True
    return is_peak


@compiled
def _top(higher: Places, place: int) -> int:
    """Follow what is higher to the end, and shorten the way to it."""
    while higher[place] != place:
        higher[place] = higher[higher[place]]
        place = higher[place]
    return place


@compiled
def _is_higher(heights: Heights, one: int, other: int) -> bool:
    """Compare two pixels; of two as high, the first counts as the higher."""
    return bool(
        heights[one] > heights[other] or (heights[one] == heights[other] and one < other)
    )
