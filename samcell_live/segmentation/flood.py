"""Watershed from markers: scikit-image's labels, pixel for pixel, many times faster."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from skimage.segmentation import watershed

from samcell_live.segmentation.flood_layout import (
    OUTSIDE,
    SEVERAL,
    Counts,
    Keys,
    Water,
    collect_keys,
    fill_with_only_markers,
    only_markers,
    read_labels,
)
from samcell_live.segmentation.flood_levels import flood_components
from samcell_live.segmentation.flood_order import sort_keys

if TYPE_CHECKING:
    from samcell_live.records import DistanceMap, Labels, Mask

logger = logging.getLogger(__name__)

MAX_THREADS = 4
"""More are kept from one frame: they wait for memory, and a camera has more frames."""

MOST_PIXELS = 2**31 - 2**20

PIXELS_PER_THREAD = 50_000
"""Below, starting a thread costs more than it gains."""


def flood(
    distance: DistanceMap, markers: Labels, mask: Mask, *, threads: int | None = None
) -> Labels:
    """Grow markers downhill until they meet or the mask ends.

    Equal to ``skimage.segmentation.watershed(-distance, markers, mask=mask)`` for every
    input (scikit-image 0.25.2 or newer; older ones flood otherwise). Where the order among
    markers of equal height decides, which scikit-image's heap settles by chance, it is
    asked itself: see ``docs/decisions/0012-exact-flood.md``.

    Parameters
    ----------
    distance : (height, width) float32
    markers : (height, width) integers
        0 where there is no marker; numbers may have gaps, and are ignored outside of
        the mask.
    mask : (height, width) bool
        Where cells may grow.
    threads : int, optional
        How many work on this image; all give the same. By default as many as there are
        cores, but at most `MAX_THREADS`.

    Returns
    -------
    (height, width) int32
        The number of the marker that reached each pixel; 0 outside of the mask, and in
        parts of it without a marker.

    Raises
    ------
    ValueError
        If the shapes differ or are too large, the map is not float32, or a marker is
        below 0 or beyond int32.

    Examples
    --------
    >>> ridge = np.array([[0.9, 0.4, 0.2, 0.3, 0.8]], dtype=np.float32)
    >>> flood(ridge, np.array([[3, 0, 0, 0, 7]]), ridge > 0.1).tolist()
    [[3, 3, 3, 7, 7]]
    """
    _check(distance, markers, mask)
    markers = np.ascontiguousarray(markers, dtype=np.int32)
    mask = np.ascontiguousarray(mask)
    labels = flood_in_order(distance, markers, mask, threads or _default_threads())
    if labels is None:
        logger.debug("Equal markers compete: this map is flooded by scikit-image.")
        labels = np.asarray(watershed(-distance, markers, mask=mask), dtype=np.int32)
    return labels


def flood_in_order(
    distance: DistanceMap, markers: Labels, mask: Mask, threads: int
) -> Labels | None:
    """Flood where heights and times settle the order; None where they do not.

    Parameters and result are those of `flood`, contiguous and checked.
    """
    if not mask.any():
        return np.zeros(mask.shape, dtype=np.int32)
    if np.isnan(distance.min()) and np.isnan(distance[mask]).any():
        return None
    basins = _lay_out(distance, markers, mask)
    if not _flood_basins(basins, threads):
        return None
    labels = np.empty(mask.shape, dtype=np.int32)
    read_labels(basins.water, labels)
    return labels


class _Basins(NamedTuple):
    """What is left to flood: the 4-connected components of several markers."""

    keys: Keys
    starts: Counts
    """(n_basins,) where each basin's keys begin, in raster order of its first pixel."""
    ends: Counts
    water: Water
    stride: int


def _lay_out(distance: DistanceMap, markers: Labels, mask: Mask) -> _Basins:
    """Settle the components of no or one marker, collect the others.

    Components cannot reach each other, so each is flooded by itself.
    """
    n_components, found = cv2.connectedComponents(
        mask.view(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    components = np.asarray(found, dtype=np.int32)
    height, width = mask.shape
    stride = width + 1
    water = np.full((height + 2) * stride, OUTSIDE, dtype=np.int32)
    only = only_markers(components, markers, n_components)
    n_pixels = fill_with_only_markers(components, markers, only, water)
    ends = np.cumsum(n_pixels) - n_pixels
    starts = ends.copy()
    # Room for the inside of markers too; it is never written, and costs no memory.
    keys = np.empty(n_pixels.sum(), dtype=np.uint64)
    bits = np.ascontiguousarray(distance).view(np.uint32)
    collect_keys(bits, components, only, water, ends, keys)
    basins = np.flatnonzero(only == SEVERAL)
    return _Basins(keys, starts[basins], ends[basins], water, stride)


def _flood_basins(basins: _Basins, threads: int) -> bool:
    """Flood all basins, in bands of about as many pixels each; False if one cannot be."""
    reached = np.zeros(basins.water.size, dtype=np.int32)
    totals = np.cumsum(basins.ends - basins.starts)
    n_pixels = int(totals[-1]) if totals.size else 0
    threads = min(threads, 1 + n_pixels // PIXELS_PER_THREAD)

    def flood_band(band: slice) -> bool:
        starts, ends = basins.starts[band], basins.ends[band]
        spare = np.empty((ends - starts).max(initial=0), dtype=np.uint64)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            sort_keys(basins.keys[start:end], spare)
        return flood_components(
            basins.keys, starts, ends, basins.water, reached, basins.stride
        )

    if threads == 1:
        return flood_band(slice(None))
    cuts = np.searchsorted(totals, np.linspace(0, n_pixels, 8 * threads + 1)[1:-1])
    bands = [
        slice(first, last)
        for first, last in zip([0, *cuts], [*cuts, totals.size], strict=True)
    ]
    with ThreadPoolExecutor(threads) as pool:
        return all(pool.map(flood_band, bands))


def _default_threads() -> int:
    return min(MAX_THREADS, os.cpu_count() or 1)


def _check(distance: DistanceMap, markers: Labels, mask: Mask) -> None:
    if not distance.shape == markers.shape == mask.shape or distance.ndim != 2:
        raise ValueError(
            f"The distance map is {distance.shape}, the markers are {markers.shape} and "
            f"the mask is {mask.shape}; all three must be the same (height, width)."
        )
    if distance.size >= MOST_PIXELS:
        raise ValueError(
            f"The map has {distance.size} pixels; pixels are numbered in int32. "
            f"Cut it into parts of fewer than {MOST_PIXELS}."
        )
    if distance.dtype != np.float32 or mask.dtype != np.bool_:
        raise ValueError(
            f"The distance map is {distance.dtype} and the mask {mask.dtype}; "
            "give float32 and bool."
        )
    low, high = int(markers.min(initial=0)), int(markers.max(initial=0))
    if markers.dtype.kind not in "iu" or low < 0 or high > np.iinfo(np.int32).max:
        raise ValueError(
            f"The markers are {markers.dtype} from {low} to {high}; give integers from 0, "
            "which is no marker, to 2147483647."
        )
