"""One image with the outlines of truth and prediction, to see what went wrong."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage.segmentation import find_boundaries

from samcell_live.records import Mask
from samcell_live.segmentation.preprocess import GreyImage, grey
from samcell_live.training.metrics import LabelImage, count_overlaps

LONGEST_SIDE_PX, SHORTEST_SIDE_PX = 1100, 500
"""Larger images are shown smaller, smaller ones larger, by whole numbers."""
CONTRAST_PERCENTILES = (0.3, 99.7)
GREYS, BRIGHTEST = 64, 200
"""Enough for the eye, and half the bytes of 253; white is the outlines'."""
BLANK = GREYS // 3
"""Which grey stands where there is no image to draw over."""
TRUTH_RGB, FOUND_RGB, BOTH_RGB = (86, 180, 233), (230, 159, 0), (255, 255, 255)
"""Okabe and Ito's sky blue and orange: told apart by every kind of colour vision."""


def draw_comparison(
    pixels: npt.NDArray[Any] | None, reference: LabelImage, result: LabelImage
) -> Image.Image:
    """Draw the outlines of true and found cells over their image.

    Cells without a partner (intersection over union of 0.5) have thick outlines, so that
    missed and false cells are seen at once.

    Parameters
    ----------
    pixels : (height, width) or (height, width, 3 or 4), or None
        None, or an image that does not fit the labels, gives a grey ground.
    reference, result : (height, width) integer

    Returns
    -------
    PIL.Image.Image
        With a palette of greys and three colours.
    """
    step = -(-max(reference.shape) // LONGEST_SIDE_PX)
    zoom = max(1, SHORTEST_SIDE_PX // max(reference.shape))
    lonely_reference, lonely_result = _without_partner(reference, result)
    truth = _outline(_shown(reference, step, zoom), lonely_reference)
    found = _outline(_shown(result, step, zoom), lonely_result)
    picture = np.full(truth.shape, BLANK, dtype=np.uint8)
    if pixels is not None and pixels.shape[:2] == reference.shape:
        picture = _ground(grey(pixels), truth.shape)
    picture[truth], picture[found] = GREYS, GREYS + 1
    picture[truth & found] = GREYS + 2
    image = Image.fromarray(picture, mode="P")
    greys = np.linspace(0, BRIGHTEST, GREYS).round().astype(int).repeat(3)
    image.putpalette([*greys.tolist(), *TRUTH_RGB, *FOUND_RGB, *BOTH_RGB])
    return image


def _without_partner(
    reference: LabelImage, result: LabelImage
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
    """Labels of missed and of false cells."""
    overlaps = count_overlaps(reference, result)
    close = 2 * overlaps.shared_px >= overlaps.union_px
    return (
        np.setdiff1d(reference, overlaps.reference[close]),
        np.setdiff1d(result, overlaps.result[close]),
    )


def _shown(labels: LabelImage, step: int, zoom: int) -> LabelImage:
    small = labels[::step, ::step]
    return small.repeat(zoom, axis=0).repeat(zoom, axis=1)


def _outline(labels: LabelImage, thick: npt.NDArray[np.integer]) -> Mask:
    """Mark the outermost pixels of all cells, two more inwards of some."""
    edges = find_boundaries(labels, mode="inner")
    kernel = np.ones((5, 5), dtype=np.uint8)
    wide = cv2.dilate(edges.astype(np.uint8), kernel).astype(bool)
    inside = np.isin(labels, thick) & (labels > 0)
    return np.asarray(edges | (wide & inside))


def _ground(image: GreyImage, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Resize and stretch to the palette's greys; a flat image is mid-grey."""
    height, width = shape
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    low, high = np.percentile(small, CONTRAST_PERCENTILES)
    if high <= low:
        return np.full(shape, BLANK, dtype=np.uint8)
    unit = np.clip((small - low) / (high - low), 0, 1)
    return np.asarray((unit * (GREYS - 1)).round(), dtype=np.uint8)
