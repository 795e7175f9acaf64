"""Let the water rise through the levels of a distance map."""

from __future__ import annotations

import numpy as np

from samcell_live.compiled import ZERO, compiled
from samcell_live.segmentation.flood_layout import (
    DRY,
    HEIGHT_SHIFT,
    PASSED,
    Counts,
    Keys,
    Water,
)

_PLACE = np.uint64(0xFFFFFFFF)


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
    level = keys[at] >> HEIGHT_SHIFT
    n_queued = 0
    while at < keys.size and keys[at] >> HEIGHT_SHIFT == level:
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
