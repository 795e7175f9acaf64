"""How low water may be stopped and still reach a pixel from a marker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from samcell_live.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samcell_live.records import DistanceMap, Labels

Levels = npt.NDArray[np.int16]
Places = npt.NDArray[np.int64]


class Reach:
    """Follows the reach of markers that grow, on one distance map.

    A pixel is reached at a threshold if a path of pixels above it, each beside the next
    in its row or column, leads there from a marker: greyscale reconstruction by dilation
    (L. Vincent, IEEE Transactions on Image Processing 2, 1993), and since markers only
    grow from one peak threshold to the next lower one, it is continued, not begun anew.

    Parameters
    ----------
    distance : (height, width) float32
    thresholds : sequence of float
        Rising.
    """

    def __init__(self, distance: DistanceMap, thresholds: Sequence[float]) -> None:
        bounds = np.asarray(thresholds, dtype=np.float32)  # as distance > 0.05 compares
        levels = np.searchsorted(bounds, distance, side="left").astype(np.int16)
        padded = np.pad(levels, 1)  # so that every pixel has four neighbours
        self._shape = padded.shape
        self._levels = padded.ravel()
        self._reached = np.zeros_like(self._levels)
        self._waiting = np.zeros(self._levels.size, dtype=np.bool_)
        self._queue = np.empty(self._levels.size, dtype=np.int64)

    def from_markers(self, markers: Labels) -> Levels:
        """Say of each pixel at how many thresholds, the lowest first, it is reached.

        Parameters
        ----------
        markers : (height, width) int32
            Not 0 on markers; includes those of all calls before.

        Returns
        -------
        (height, width) int16
            Changes with the next call.
        """
        seeds = np.flatnonzero(np.pad(markers, 1))
        stride = self._shape[1]
        _spread(self._reached, self._levels, seeds, self._waiting, self._queue, stride)
        return self._reached.reshape(self._shape)[1:-1, 1:-1]


@compiled
def _spread(
    reached: Levels,
    levels: Levels,
    seeds: Places,
    waiting: npt.NDArray[np.bool_],
    queue: Places,
    stride: int,
) -> None:
    """Raise `reached` from seeds outwards until nothing rises any more.

    Parameters
    ----------
    reached, levels : (n_padded,) int16
        `reached` is written.
    seeds : (n,) int64
    waiting : (n_padded,) bool
        All False, before and after: whether a pixel stands in the queue.
    queue : (n_padded,) int64
        Room for as many pixels as there are.
    stride : int
    """
    size = queue.size
    first, n_waiting = 0, 0
    for seed in seeds:
        if reached[seed] < levels[seed]:
            reached[seed] = levels[seed]
            waiting[seed] = True
            queue[(first + n_waiting) % size] = seed
            n_waiting += 1
    while n_waiting > 0:
        place = queue[first]
        first = (first + 1) % size
        n_waiting -= 1
        waiting[place] = False
        for step in (-stride, -1, 1, stride):
            beside = place + step
            level = min(reached[place], levels[beside])
            if level > reached[beside]:
                reached[beside] = level
                if not waiting[beside]:
                    waiting[beside] = True
                    queue[(first + n_waiting) % size] = beside
                    n_waiting += 1
