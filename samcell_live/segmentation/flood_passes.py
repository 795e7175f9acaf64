"""The compiled passes of `flood`: lay out the basins, then let the water rise.

Pixels are addressed by their place in a padded image of one row more above and below and
one column more on the right, flattened, so that every pixel has four neighbours: `stride`
is the width plus one, and the pixel (y, x) is at ``(y + 1) * stride + x``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from samcell_live.compiled import ZERO, compiled
from samcell_live.records import Labels

Counts = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
"""(n,) pixels to flood: height below the highest in the upper 32 bits, place in the lower.

In ascending order the water, which rises from the peaks of the distance map downwards,
meets them level by level.
"""
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
_PLACE = np.uint64(0xFFFFFFFF)
_HEIGHT = np.uint64(32)


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
                depth = np.uint64(_depth(bits[y, x])) << _HEIGHT
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
def flood_components(
    keys: Keys, starts: Counts, ends: Counts, water: Water, reached: Water, stride: int
) -> bool:
    """Flood components, one after the other; see `_flood_component`.

    Parameters
    ----------
    keys : (n,) uint64
        In ascending order within each component.
    starts, ends : (n_components,) int64
        Where each component lies in `keys`.
    water : (n_padded,) int32
        Markers and dry pixels; written.
    reached : (n_padded,) int32
        0; afterwards, when the water reached each pixel of these components.
    stride : int

    Returns
    -------
    bool
        False if the order among markers of equal height decides: `water` is then useless.
    """
    longest = 0
    for i in range(starts.size):
        longest = max(longest, ends[i] - starts[i])
    queue = np.empty(longest, np.int64)
    for i in range(starts.size):
        mine = keys[starts[i] : ends[i]]
        if not _flood_component(mine, queue, water, reached, stride):
            return False
    return True


@compiled
def _flood_component(
    keys: Keys, queue: Counts, water: Water, reached: Water, stride: int
) -> bool:
    """Let the water rise through the levels of one component.

    At each level water spreads from the pixels of that height that are flooded, in the
    order in which they were reached, and on from what they flood that lies above.
    """
    at, clock = ZERO, ZERO
    while at < keys.size:
        at, n_queued = _open_level(keys, at, queue, water)
        _sort_by_time(queue, n_queued, reached)
        head = ZERO
        while head < n_queued:
            tail = head + 1
            while tail < n_queued and reached[queue[tail]] == reached[queue[head]]:
                tail += 1
            if tail - head == 1:
                clock, n_queued = _spread(
                    queue, head, n_queued, clock, water, reached, stride
                )
            else:
                clock += 1
                n_queued = _spread_all(
                    queue, head, tail, n_queued, clock, water, reached, stride
                )
                if n_queued < 0:
                    return False
            head = tail
    return True


@compiled
def _open_level(keys: Keys, at: int, queue: Counts, water: Water) -> tuple[int, int]:
    """Queue the flooded pixels of the next level; the dry ones are passed."""
    level = keys[at] >> _HEIGHT
    n_queued = 0
    while at < keys.size and keys[at] >> _HEIGHT == level:
        place = np.int64(keys[at] & _PLACE)
        if water[place] == DRY:
            water[place] = PASSED
        else:
            queue[n_queued] = place
            n_queued += 1
        at += 1
    return at, n_queued


@compiled
def _sort_by_time(queue: Counts, n_queued: int, reached: Water) -> None:
    """Shell sort; there is rarely more than one pixel."""
    gap = n_queued // 2
    while gap > 0:
        for i in range(gap, n_queued):
            place, j = queue[i], i
            while j >= gap and reached[queue[j - gap]] > reached[place]:
                queue[j] = queue[j - gap]
                j -= gap
            queue[j] = place
        gap = 1 if gap == 2 else gap * 5 // 11


@compiled
def _spread(
    queue: Counts,
    head: int,
    n_queued: int,
    clock: int,
    water: Water,
    reached: Water,
    stride: int,
) -> tuple[int, int]:
    """Flood the dry neighbours of one pixel: above, left, right, below."""
    place = queue[head]
    for step in (-stride, -1, 1, stride):
        beside = place + step
        state = water[beside]
        if state in (DRY, PASSED):
            clock += 1
            water[beside], reached[beside] = water[place], clock
            if state == PASSED:
                queue[n_queued] = beside
                n_queued += 1
    return clock, n_queued


@compiled
def _spread_all(
    queue: Counts,
    head: int,
    tail: int,
    n_queued: int,
    clock: int,
    water: Water,
    reached: Water,
    stride: int,
) -> int:
    """Flood the dry neighbours of pixels of which none is known to come first.

    All that they flood is given the same time: its order is unknown in turn. Gives the
    pixels queued, or -1 if two markers flood the same neighbour.
    """
    for i in range(head, tail):
        place = queue[i]
        for step in (-stride, -1, 1, stride):
            beside = place + step
            state = water[beside]
            if state in (DRY, PASSED):
                water[beside], reached[beside] = water[place], clock
                if state == PASSED:
                    queue[n_queued] = beside
                    n_queued += 1
            elif state > 0 and state != water[place] and reached[beside] == clock:
                return -1
    return n_queued


@compiled
def read_labels(water: Water, labels: Labels) -> None:
    """Copy the markers that flooded the pixels into (height, width) `labels`."""
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            labels[y, x] = max(water[(y + 1) * (width + 1) + x], DRY)
