"""The distance map that a network learns, made from labelled cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samcell_live.compiled import ZERO, compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    from samcell_live.records import DistanceMap

SPARSE = 4
"""Labels beyond this many times the number of pixels are numbered anew first."""


def distance_map(labels: npt.NDArray[np.integer]) -> DistanceMap:
    """Give every pixel of a cell its depth inside that cell.

    Depth is the Euclidean distance to the nearest pixel that is not of the same cell,
    so touching cells keep a valley between them, divided by the deepest pixel's.
    The edge of the image is no border: a cell that it cuts rises towards it.

    Parameters
    ----------
    labels : (height, width) integers
        0 on background, a number of its own for each cell; gaps are allowed.

    Returns
    -------
    (height, width) float32
        0 on background, above 0 and up to 1 in cells. A cell that fills the whole
        image has no border in sight, and is 1 everywhere.

    Raises
    ------
    ValueError
        If the labels are no plane of integers, or one is below 0.

    Notes
    -----
    Equal, bit for bit, to the loop of the SAMCell paper's description, which transforms
    the whole image once per cell; but all cells are transformed together. The squared
    distance is separable: the nearest border in each column, then in each row the lower
    envelope of the parabolas that stand on those (Felzenszwalb and Huttenlocher, Theory
    of Computing 8, 2012; in whole numbers as by Meijster et al., 2000). A row's run of
    one label is a problem of its own, as nothing beyond its ends is nearer than they are.

    Examples
    --------
    >>> distance_map(np.array([[0, 1, 1, 1, 2, 0]])).tolist()
    [[0.0, 0.5, 1.0, 0.5, 1.0, 0.0]]
    """
    _check(labels)
    highest = int(labels.max(initial=0))
    if highest == 0:
        return np.zeros(labels.shape, dtype=np.float32)
    if highest > SPARSE * labels.size:
        numbers, labels = np.unique(labels, return_inverse=True)
        labels, highest = labels + (numbers[0] > 0), numbers.size
    cells = np.ascontiguousarray(labels, dtype=np.int32)
    far = sum(cells.shape)
    squares = _squared_depths(cells, _steps_to_border(cells, far))
    return _relative_depths(cells, squares, highest)


def _check(labels: npt.NDArray[np.integer]) -> None:
    lowest = labels.min(initial=0)
    if labels.ndim != 2 or labels.dtype.kind not in "iu" or lowest < 0:
        raise ValueError(
            f"These labels are {labels.dtype} of shape {labels.shape}, from {lowest} on; "
            "a plane (height, width) of integers from 0 on is needed."
        )


@compiled
def _steps_to_border(cells: npt.NDArray[np.int32], far: int) -> npt.NDArray[np.int32]:
    """Steps up or down to the nearest pixel of another label; `far` if there is none."""
    height, width = cells.shape
    steps = np.full(cells.shape, far, np.int32)
    for y in range(1, height):
        for x in range(width):
            same = cells[y, x] == cells[y - 1, x]
            steps[y, x] = min(far, steps[y - 1, x] + 1) if same else 1
    for y in range(height - 2, -1, -1):
        for x in range(width):
            same = cells[y, x] == cells[y + 1, x]
            steps[y, x] = min(steps[y, x], steps[y + 1, x] + 1 if same else 1)
    return steps


@compiled
def _squared_depths(
    cells: npt.NDArray[np.int32], steps: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    """Squared distance in px to the nearest pixel of another label; 0 on background."""
    height, width = cells.shape
    squares = np.zeros(cells.shape, np.int64)
    sites = np.empty((3, width + 2), np.int64)
    for y in range(height):
        end = ZERO
        while end < width:
            start = end
            while end < width and cells[y, end] == cells[y, start]:
                end += 1
            if cells[y, start] != 0:
                _transform_run(steps[y], start, end, sites, squares[y])
    return squares


@compiled
def _transform_run(
    steps: npt.NDArray[np.int32],
    start: int,
    end: int,
    sites: npt.NDArray[np.int64],
    squares: npt.NDArray[np.int64],
) -> None:
    """Write squared depths of the pixels from `start` to before `end` of a row.

    A parabola stands on each of them at the height of its squared steps, and at height 0
    on the pixels before and after, where the image has such. `sites` is room for those
    of the lower envelope: where each stands, its height, and the first pixel it rules.
    """
    places, heights, firsts = sites
    n_sites = ZERO
    for x in range(max(start - 1, 0), min(end + 1, steps.size)):
        height = steps[x] ** 2 if start <= x < end else 0
        first = ZERO
        while n_sites > 0:
            left = places[n_sites - 1]
            rise = x**2 + height - left**2 - heights[n_sites - 1]
            first = -(-rise // (2 * (x - left)))
            if first > firsts[n_sites - 1]:
                break
            n_sites -= 1
            first = ZERO
        places[n_sites], heights[n_sites], firsts[n_sites] = x, height, first
        n_sites += 1
    ruler = n_sites - 1
    for x in range(end - 1, start - 1, -1):
        while firsts[ruler] > x:
            ruler -= 1
        squares[x] = (x - places[ruler]) ** 2 + heights[ruler]


@compiled
def _relative_depths(
    cells: npt.NDArray[np.int32], squares: npt.NDArray[np.int64], highest: int
) -> npt.NDArray[np.float32]:
    """Divide each depth by the largest of the same label."""
    height, width = cells.shape
    deepest = np.zeros(highest + 1, np.int64)
    for y in range(height):
        for x in range(width):
            cell = cells[y, x]
            deepest[cell] = max(deepest[cell], squares[y, x])
    scale = np.sqrt(deepest)
    relative = np.zeros(cells.shape, np.float32)
    for y in range(height):
        for x in range(width):
            if cells[y, x] != 0:
                relative[y, x] = np.sqrt(squares[y, x]) / scale[cells[y, x]]
    return relative
