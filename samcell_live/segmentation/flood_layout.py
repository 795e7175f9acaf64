"""Lay out what is to be flooded, and read off what flooded it: passes over the image.

Pixels are addressed by their place in a padded image of one row more above and below and
one column more on the right, flattened, so that every pixel has four neighbours: `stride`
is the width plus one, and the pixel (y, x) is at ``(y + 1) * stride + x``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from samcell_live.compiled import compiled
from samcell_live.records import Labels

Counts = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
"""(n,) pixels to flood: height below the highest in the upper 32 bits, place in the lower.

In ascending order the water, which rises from the peaks of the distance map downwards,
meets them level by level.
"""
HEIGHT_SHIFT = np.uint64(32)

Water = npt.NDArray[np.int32]
"""(n_padded,) the marker that flooded a pixel, or one of the states below."""

DRY = np.int32(0)
OUTSIDE = np.int32(-1)
PASSED = np.int32(-2)
"""Dry although the water stands as high as this: waits for a neighbour to be flooded."""

SEVERAL = np.int32(-1)
"""In place of a component's only marker."""

_SIGN = np.uint32(0x80000000)
_MAGNITUDE = np.uint32(0x7FFFFFFF)


@compiled
def only_markers(components: Labels, markers: Labels, n_components: int) -> Labels:
    """Give the marker of every component, 0 where it has none, `SEVERAL` if several."""
    only = np.zeros(n_components, np.int32)
    height, width = components.shape
    for y in range(height):
        for x in range(width):
            marker, component = markers[y, x], components[y, x]
            if marker != 0 and component != 0 and only[component] != marker:
                only[component] = SEVERAL if only[component] != 0 else marker
    return only


@compiled
def fill_with_only_markers(
    components: Labels, markers: Labels, only: Labels, water: Water
) -> Counts:
    """Fill components of one marker, place the markers in the others.

    Parameters
    ----------
    components, markers : (height, width) int32
    only : (n_components,) int32
    water : (n_padded,) int32
        All `OUTSIDE`; written.

    Returns
    -------
    (n_components,) int64
        Pixels of each component that is left to flood.
    """
    n_pixels = np.zeros(only.size, np.int64)
    height, width = components.shape
    for y in range(height):
        for x in range(width):
            component = components[y, x]
            if component == 0:
                continue
            marker = only[component]
            if marker == SEVERAL:
                marker = markers[y, x]
                n_pixels[component] += 1
            water[(y + 1) * (width + 1) + x] = marker
    return n_pixels


@compiled
def collect_keys(
    bits: npt.NDArray[np.uint32],
    components: Labels,
    only: Labels,
    water: Water,
    ends: Counts,
    keys: Keys,
) -> None:
    """Collect what takes part in the flood: dry pixels, and markers next to them.

    Parameters
    ----------
    bits : (height, width) uint32
        The distance map, float32 read as integers.
    components, only, water
        As `fill_with_only_markers` left them.
    ends : (n_components,) int64
        Where in `keys` each component begins; afterwards, where it ends.
    keys : (n,) uint64
        Written.
    """
    height, width = components.shape
    stride = width + 1
    for y in range(height):
        for x in range(width):
            component = components[y, x]
            if component == 0 or only[component] != SEVERAL:
                continue
            place = (y + 1) * stride + x
            if _takes_part(water, place, stride):
                depth = np.uint64(_depth(bits[y, x])) << HEIGHT_SHIFT
                keys[ends[component]] = depth | np.uint64(place)
                ends[component] += 1


@compiled
def _takes_part(water: Water, place: int, stride: int) -> bool:
    if water[place] == DRY or water[place - stride] == DRY or water[place - 1] == DRY:
        return True
    return bool(water[place + 1] == DRY or water[place + stride] == DRY)


@compiled
def _depth(bits: np.uint32) -> np.uint32:
    """Order float32 from high to low by an unsigned integer; 0.0 and -0.0 are equal."""
    if bits > _SIGN:
        return bits
    return np.uint32(_MAGNITUDE - (bits & _MAGNITUDE))


@compiled
def read_labels(water: Water, labels: Labels) -> None:
    """Copy the markers that flooded the pixels into (height, width) `labels`."""
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            labels[y, x] = max(water[(y + 1) * (width + 1) + x], DRY)
