"""The convex hull of a shape on the pixel grid, exactly, and how far it reaches.

A pixel is represented by the midpoints of its four sides, as in scikit-image, and lies in
the hull if its centre does. Everything is counted in half pixels, so that all of it is
whole numbers: in half pixels the midpoints of pixel (y, x) are (2 y, 2 x +- 1) and
(2 y +- 1, 2 x).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from samcell_live.compiled import compiled
from samcell_live.records import Mask

IntArray = npt.NDArray[np.int64]

NOWHERE = -1


@compiled
def convex_image(mask: Mask) -> Mask:
    """Fill a shape up to its convex hull.

    Parameters
    ----------
    mask : (height, width) bool
        The shape, False along all four edges.

    Returns
    -------
    (height, width) bool
        As ``skimage.morphology.convex_hull_image`` has it.
    """
    height, width = mask.shape
    last = _last_pixels(_right_edge(mask))
    first = width - 1 - _last_pixels(_right_edge(mask[:, ::-1]))
    hull = np.zeros((height, width), dtype=np.bool_)
    for y in range(height):
        for x in range(first[y], last[y] + 1):
            hull[y, x] = True
    return hull


@compiled
def feret_diameter(hull: Mask) -> float:
    """Largest distance between two points of a convex shape's outline, in pixels.

    Parameters
    ----------
    hull : (height, width) bool
        The convex shape, False along all four edges.

    Returns
    -------
    float
        1 for a single pixel; ``feret_diameter_max`` of ``skimage``'s ``regionprops``.
    """
    width = hull.shape[1]
    right, left = _right_edge(hull), _right_edge(hull[:, ::-1])
    right_corners, left_corners = _corners(right), _corners(left)
    y = np.concatenate((right_corners, left_corners))
    x = np.concatenate((right[right_corners], 2 * (width - 1) - left[left_corners]))
    farthest = 0
    for one in range(y.size):
        for other in range(one):
            apart = (y[one] - y[other]) ** 2 + (x[one] - x[other]) ** 2
            farthest = max(farthest, apart)
    return float(np.sqrt(farthest) / 2)


@compiled
def _right_edge(mask: Mask) -> IntArray:
    """Rightmost point of the shape at every half row, in half pixels."""
    height, width = mask.shape
    edge = np.full(2 * height - 1, NOWHERE)
    for y in range(1, height - 1):
        for x in range(width - 1, 0, -1):
            if mask[y, x]:
                edge[2 * y - 1] = max(edge[2 * y - 1], 2 * x)
                edge[2 * y] = 2 * x + 1
                edge[2 * y + 1] = 2 * x
                break
    return edge


@compiled
def _corners(edge: IntArray) -> IntArray:
    """Half rows at which the hull of an edge turns (Andrew's monotone chain, 1979)."""
    corners = np.empty(edge.size, dtype=np.int64)
    n = 0
    for y in range(edge.size):
        if edge[y] == NOWHERE:
            continue
        while n > 1 and _is_inside(edge, corners[n - 2], corners[n - 1], y):
            n -= 1
        corners[n] = y
        n += 1
    return corners[:n]


@compiled
def _is_inside(edge: IntArray, above: int, middle: int, below: int) -> bool:
    """Whether the middle point lies on the line between the others, or left of it."""
    over_middle = (edge[middle] - edge[above]) * (below - above)
    return bool(over_middle <= (edge[below] - edge[above]) * (middle - above))


@compiled
def _last_pixels(edge: IntArray) -> IntArray:
    """Last pixel of every row that lies in the hull; -1 in rows above and below it."""
    last = np.full((edge.size + 1) // 2, NOWHERE)
    corners = _corners(edge)
    for i in range(1, corners.size):
        upper, lower = corners[i - 1], corners[i]
        rows = lower - upper
        for y in range(upper + upper % 2, lower + 1, 2):
            reach = edge[upper] * rows + (edge[lower] - edge[upper]) * (y - upper)
            last[y // 2] = reach // (2 * rows)
    return last
