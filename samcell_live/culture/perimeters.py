"""How long an outline is, and what it encloses: scikit-image's estimates, compiled."""

from __future__ import annotations

from typing import Final

import numpy as np

from samcell_live.compiled import compiled
from samcell_live.records import Mask

# An outline pixel with s outline pixels beside it and d at its corners has the code
# 1 + 2 s + 10 d, and counts 1 where the outline passes straight through, sqrt(2) where
# it passes from corner to corner, and their mean where it does one of each.
_STEP_LENGTHS: Final = np.zeros(50)
_STEP_LENGTHS[[5, 7, 15, 17, 25, 27]] = 1
_STEP_LENGTHS[[21, 33]] = np.sqrt(2)
_STEP_LENGTHS[[13, 23]] = (1 + np.sqrt(2)) / 2


@compiled
def perimeter(mask: Mask) -> float:
    """Length of the line through the outermost pixels of a shape, in pixels.

    Parameters
    ----------
    mask : (height, width) bool
        The shape, False along all four edges.

    Returns
    -------
    float
        0 for a single pixel, or two.

    References
    ----------
    Benkrid and Crookes (2000), "Design and FPGA implementation of a perimeter
    estimator"; ``skimage.measure.perimeter`` with four neighbours.
    """
    height, width = mask.shape
    outline = np.zeros((height, width), dtype=np.bool_)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            outline[y, x] = mask[y, x] and not (
                mask[y - 1, x] and mask[y + 1, x] and mask[y, x - 1] and mask[y, x + 1]
            )
    length = 0.0
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            if outline[y, x]:
                beside = (
                    outline[y - 1, x] + outline[y + 1, x]
                    + outline[y, x - 1] + outline[y, x + 1]
                )  # fmt: skip
                at_corners = (
                    outline[y - 1, x - 1] + outline[y - 1, x + 1]
                    + outline[y + 1, x - 1] + outline[y + 1, x + 1]
                )  # fmt: skip
                length += _STEP_LENGTHS[1 + 2 * beside + 10 * at_corners]
    return length


@compiled
def perimeter_crofton(mask: Mask) -> float:
    """Length of the outline from how often straight lines enter the shape, in pixels.

    Parameters
    ----------
    mask : (height, width) bool
        The shape, False along all four edges.

    Returns
    -------
    float
        Less biased than `perimeter` where outlines are smooth.

    References
    ----------
    Crofton's formula with lines in four directions, those across at a distance of 1 and
    the diagonal ones at 1 / sqrt(2); ``skimage.measure.perimeter_crofton``.
    """
    across = diagonal = 0
    for y in range(1, mask.shape[0]):
        for x in range(1, mask.shape[1]):
            across += mask[y, x] and not mask[y - 1, x]
            across += mask[y, x] and not mask[y, x - 1]
            diagonal += mask[y, x] and not mask[y - 1, x - 1]
            diagonal += mask[y - 1, x] and not mask[y, x - 1]
    return float(np.pi / 4 * (across + diagonal / np.sqrt(2)))


@compiled
def euler_number(mask: Mask) -> int:
    """Pieces less holes; pixels that touch at a corner are one piece.

    Parameters
    ----------
    mask : (height, width) bool
        The shape, False along all four edges.

    References
    ----------
    Gray (1971), "Local properties of binary images in two dimensions": outward corners
    less inward ones in one direction; ``skimage.measure.euler_number``.
    """
    number = 0
    for y in range(1, mask.shape[0]):
        for x in range(1, mask.shape[1]):
            if not mask[y, x]:
                upper, left = mask[y - 1, x], mask[y, x - 1]
                if mask[y - 1, x - 1]:
                    number += (not upper and not left) - (upper and left)
                else:
                    number -= upper and left
    return number
