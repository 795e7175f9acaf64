"""Put places in the order in which the water, rising from the peaks, reaches them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from samcell_live.compiled import compiled
from samcell_live.segmentation.flood_layout import HEIGHT_SHIFT, Counts, Keys

FEW = 500
"""So many are sorted as fast by comparing."""

_DIGIT_BITS = np.uint64(8)
_N_DIGITS = 4
_DIGIT = np.uint64(0xFF)
_PLACE = np.uint64(0xFFFFFFFF)


def from_the_highest(heights: npt.NDArray[np.float32]) -> Counts:
    """Give the order of heights from the highest to the lowest; of equals the first first.

    Parameters
    ----------
    heights : (n,) float32
        Not below 0.

    Returns
    -------
    (n,) int64
        Indices into `heights`.
    """
    depths = ~heights.view(np.uint32)  # floats from 0 up are in the order of their bits
    places = np.arange(heights.size, dtype=np.uint64)
    keys = depths.astype(np.uint64) << HEIGHT_SHIFT | places
    sort_keys(keys, np.empty_like(keys))
    return (keys & _PLACE).astype(np.int64)


def sort_keys(keys: Keys, spare: Keys) -> None:
    """Sort what `collect_keys` collected of one component, in place.

    Parameters
    ----------
    keys : (n,) uint64
        Heights above, places below; the places in ascending order.
    spare : (at least n,) uint64
        Written.
    """
    if keys.size < FEW:
        keys.sort()
    else:
        _sort_by_height(keys, spare)


@compiled
def _sort_by_height(keys: Keys, spare: Keys) -> None:
    """Radix sort (Knuth, The Art of Computer Programming 3, 5.2.5) by the upper half.

    It keeps the order of what is equal, which is that of the lower half already. Four
    digits are an even number, so that the last pass writes to `keys`.
    """
    counts = np.zeros((_N_DIGITS, 256), np.int64)
    for key in keys:
        height = key >> HEIGHT_SHIFT
        for digit in range(_N_DIGITS):
            counts[digit, height & _DIGIT] += 1
            height >>= _DIGIT_BITS
    source, target, shift = keys, spare, HEIGHT_SHIFT
    for digit in range(_N_DIGITS):
        places = np.cumsum(counts[digit]) - counts[digit]
        for i in range(keys.size):
            key = source[i]
            value = (key >> shift) & _DIGIT
            target[places[value]] = key
            places[value] += 1
        source, target = target, source
        shift += _DIGIT_BITS
