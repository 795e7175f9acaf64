"""Holes filled, cells at the edge and small ones dropped, numbers without gaps.

The method has none of these; they are settings. In all, cells are (height, width) int32:
0 on background, a number from 1 for each cell. Nothing is changed in place.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from samcell_live.compiled import compiled
from samcell_live.records import Labels

Flags = npt.NDArray[np.bool_]
"""(n_cells + 1,): which cells stay; the first is the background's."""

_NOBODY, _SHARED = np.int32(0), np.int32(-1)


def fill_holes(labels: Labels) -> Labels:
    """Give holes in a cell to that cell.

    A hole is a 4-connected part of the background that does not reach the image's edge
    and is beside pixels of one cell only; ``scipy.ndimage.binary_fill_holes`` of that
    cell alone would fill it. What lies between cells stays background.

    Examples
    --------
    >>> ring = np.array([[2, 2, 2], [2, 0, 2], [2, 2, 2]], dtype=np.int32)
    >>> fill_holes(ring).tolist()
    [[2, 2, 2], [2, 2, 2], [2, 2, 2]]
    """
    background = np.asarray(labels == 0)
    if not background.any():
        return labels
    n_parts, found = cv2.connectedComponents(
        background.view(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    parts = np.asarray(found, dtype=np.int32)
    owners = _only_neighbours(labels, parts, n_parts)
    return np.asarray(np.where(background, np.maximum(owners, 0)[parts], labels))


def drop_border_cells(labels: Labels) -> Labels:
    """Drop cells that the image's edge cuts, and close the gaps in the numbers.

    The same as ``skimage.segmentation.clear_border`` for cells in one piece.

    Examples
    --------
    >>> drop_border_cells(np.array([[1, 0, 0], [0, 2, 0], [0, 0, 0]], dtype=np.int32))
    array([[0, 0, 0],
           [0, 1, 0],
           [0, 0, 0]], dtype=int32)
    """
    stays = _areas_px(labels) > 0
    for edge in (labels[:1], labels[-1:], labels[:, :1], labels[:, -1:]):
        stays[edge] = False
    return _keep(labels, stays)


def drop_small_cells(labels: Labels, min_area_px: float) -> Labels:
    """Drop cells of fewer than `min_area_px` pixels, and close the gaps in the numbers.

    Examples
    --------
    >>> drop_small_cells(np.array([[1, 0, 2, 2]], dtype=np.int32), 2).tolist()
    [[0, 0, 1, 1]]
    """
    return _keep(labels, _areas_px(labels) >= max(min_area_px, 1))


def close_gaps(labels: Labels) -> Labels:
    """Number the cells 1..n_cells in the order of their numbers.

    Examples
    --------
    >>> close_gaps(np.array([[7, 0, 3, 3]], dtype=np.int32)).tolist()
    [[2, 0, 1, 1]]
    """
    return _keep(labels, _areas_px(labels) > 0)


def _keep(labels: Labels, stays: Flags) -> Labels:
    """Renumber the cells that stay, in their old order."""
    if stays[1:].all():
        return labels
    stays[0] = False
    numbers = np.where(stays, np.cumsum(stays), 0).astype(np.int32)
    return np.asarray(numbers[labels])


def _areas_px(labels: Labels) -> npt.NDArray[np.int64]:
    """Pixels of every number, (largest + 1,)."""
    areas = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.int64)
    _count(np.ascontiguousarray(labels).ravel(), areas)
    return areas


@compiled
def _count(labels: Labels, areas: npt.NDArray[np.int64]) -> None:
    for label in labels:
        areas[label] += 1


@compiled
def _only_neighbours(labels: Labels, parts: Labels, n_parts: int) -> Labels:
    """Give the only cell beside each part of the background, -1 if there are several.

    Beyond the image's edge lies another cell that is nobody's.
    """
    owners = np.full(n_parts, _NOBODY)
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            part = parts[y, x]
            if part == 0:
                continue
            if y in (0, height - 1) or x in (0, width - 1):
                owners[part] = _SHARED
                continue
            for label in (
                labels[y - 1, x],
                labels[y, x - 1],
                labels[y, x + 1],
                labels[y + 1, x],
            ):
                if label != 0 and owners[part] != label:
                    owners[part] = label if owners[part] == _NOBODY else _SHARED
    return owners
