"""Put the pixels of a component in the order in which the water reaches their height."""

from __future__ import annotations

import numpy as np

from samcell_live.compiled import compiled
from samcell_live.segmentation.flood_layout import HEIGHT_SHIFT, Keys

FEW = 500
"""So many are sorted as fast by comparing."""

_DIGIT_BITS = np.uint64(8)
_N_DIGITS = 4
_DIGIT = np.uint64(0xFF)


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
