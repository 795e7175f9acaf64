"""How large the cells of an image are, so that a network sees them at a size it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from samcell_live.records import NAN

if TYPE_CHECKING:
    from samcell_live.records import DistanceMap
    from samcell_live.segmentation.preprocess import GreyImage

MOST_LOOKS = 3
"""Times that an image is put through the network to see its cells at their size."""
SIZES_ALIKE = (0.7, 1.4)
"""Between these multiples of the size that it knows best, a network sees about as well."""
ZOOMS = (0.1, 4.0)
"""No image is reduced or enlarged further."""
CORE_HEIGHT = 0.36
"""What lies above this is the middle of one cell."""
LONGER_THAN_ROUND = 1.2
"""Cells are not quite round, so their regions alone make them seem too large by this:
median over 98 labelled images of seven kinds, with cells of 8 to 130 px."""
MOST_PX = 2**24
"""No image is enlarged to more pixels than this."""


def seen_diameter_px(distance: DistanceMap) -> float:
    """Estimate how large cells are from the size of their middles.

    In a distance map that falls evenly from 1 in the middle of a round cell to 0 at its
    outline, what lies above a threshold p has 1 - p of the cell's diameter. Regions are
    weighed by their area, so that a little debris beside large cells does not count.

    Parameters
    ----------
    distance : (height, width) float32
        0 to 1.

    Returns
    -------
    float
        Diameter in pixels of a circle with the area of a typical cell; NaN if there is
        no region.
    """
    cores = (distance > CORE_HEIGHT).astype(np.uint8)
    _, _, regions, _ = cv2.connectedComponentsWithStats(cores, connectivity=8)
    areas_px = np.sort(regions[1:, cv2.CC_STAT_AREA])
    if not areas_px.size:
        return NAN
    below = np.cumsum(areas_px)
    middle_px = areas_px[np.searchsorted(below, below[-1] / 2)]
    return float(2 * np.sqrt(middle_px / np.pi) / (1 - CORE_HEIGHT) / LONGER_THAN_ROUND)


def next_zoom(
    zoom: float, seen_px: float, known_px: float, shape_px: tuple[int, int]
) -> float:
    """Choose how far to resize an image next.

    Parameters
    ----------
    zoom : float
        How far it was resized when its cells were seen.
    seen_px : float
        Their diameter then; NaN if there were none.
    known_px : float
        Diameter that the network knows best.
    shape_px : (int, int)
        Height and width of the image as it was given.

    Returns
    -------
    float
        `zoom` itself where another would gain nothing.
    """
    low, high = SIZES_ALIKE
    if not seen_px > 0 or low * known_px <= seen_px <= high * known_px:
        return zoom
    largest = min(ZOOMS[1], max(1.0, float(np.sqrt(MOST_PX / np.prod(shape_px)))))
    return float(np.clip(zoom * known_px / seen_px, ZOOMS[0], largest))


def resize(image: GreyImage, zoom: float) -> GreyImage:
    """Resize an image by a factor, to at least one pixel a side."""
    height, width = image.shape
    return resize_to(image, (max(1, round(height * zoom)), max(1, round(width * zoom))))


def resize_to(image: GreyImage, shape: tuple[int, ...]) -> GreyImage:
    """Resize, averaging where the image shrinks so that nothing is skipped."""
    if image.shape == shape:
        return image
    height, width = shape
    shrinks = height * width < image.size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=interpolation))
