"""An image with the outlines of its cells, to judge a segmentation by eye."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from samcell_live.records import Labels, Mask

LONGEST_SIDE_PX = 4096
"""Larger images are shown smaller, by a whole number."""
PX_PER_LINE_PX = 1500
"""Lines are one pixel wide, and one more for every so many pixels of the longest side."""

CONTRAST_PERCENTILES = (0.3, 99.7)
OUTLINE_RGB = (255, 176, 0)
"""Amber, as on the dashboard: told from grey by every kind of colour vision."""
GREYS = 255
"""The palette's last entry, of 256, is the outlines'."""


def draw_overlay(pixels: npt.NDArray[Any], labels: Labels) -> Image.Image:
    """Draw the outline of every cell over its image.

    Parameters
    ----------
    pixels : (height, width) bool, integers or floats
        Shown in grey from their 0.3rd to their 99.7th percentile; pixels that are not
        finite are black.
    labels : (height, width) int32
        0 on background, 1..n_cells elsewhere. Outlines lie inside the cells, so that
        neighbours keep one each.

    Returns
    -------
    PIL.Image.Image
        With a palette of greys and one colour, so a byte for each pixel. As large as the
        image, or up to 4096 pixels on its longest side.
    """
    step = -(-max(labels.shape) // LONGEST_SIDE_PX)
    height_px, width_px = (max(1, side // step) for side in labels.shape)
    whole = slice(0, height_px * step), slice(0, width_px * step)
    shown = labels[whole][::step, ::step]
    image = pixels[whole].astype(np.float32)
    small = cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA)
    picture = _to_greys(np.asarray(small))
    line_px = 1 + max(shown.shape) // PX_PER_LINE_PX
    picture[outline(shown, line_px)] = GREYS
    overlay = Image.fromarray(picture, mode="P")
    greys = np.linspace(0, 255, GREYS).round().astype(int).repeat(3)
    overlay.putpalette([*greys.tolist(), *OUTLINE_RGB])
    return overlay


def outline(labels: Labels, line_px: int = 1) -> Mask:
    """Mark the pixels of a cell within `line_px` of something else than that cell.

    The image's edge is no outline.

    Examples
    --------
    >>> outline(np.array([[0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1]])).astype(int).tolist()
    [[0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]]
    """
    side = 2 * line_px + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    numbers = labels.astype(np.float32)  # OpenCV has no int32 here; exact to 16 million
    differs = cv2.morphologyEx(numbers, cv2.MORPH_GRADIENT, kernel) > 0
    return np.asarray(differs & (labels > 0))


def _to_greys(image: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Stretch to 0..254; a flat image is mid-grey."""
    known = np.isfinite(image)
    low, high = np.percentile(image[known], CONTRAST_PERCENTILES) if known.any() else (0, 0)
    if high == low:
        return np.full(image.shape, GREYS // 2, dtype=np.uint8)
    unit = np.clip((np.where(known, image, low) - low) / (high - low), 0, 1)
    return np.asarray((unit * (GREYS - 1)).round(), dtype=np.uint8)
