"""An image and its truth, brought to the size that training takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from samcell_live.records import Labels, Mask
from samcell_live.segmentation.preprocess import grey

RESIZABLE = ("uint8", "uint16", "float32")
"""Types that OpenCV resizes; others become float32."""


class Plane(NamedTuple):
    """A grey image and its truth, of one size."""

    pixels: npt.NDArray[Any]
    """(height, width) uint8, uint16 or float32."""
    labels: Labels
    """(height, width) int32: 0 on background, 1..n_cells elsewhere, with no gaps."""
    ignored: Mask
    """(height, width) bool: where the truth says nothing."""


def grey_plane(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Make an image one of grey values, at its own bit depth where it can be.

    Parameters
    ----------
    pixels : (height, width) or (height, width, 3 or 4)

    Returns
    -------
    (height, width) uint8, uint16 or float32
        Colours become luminance in float32; so do pixels of other types.
    """
    if pixels.ndim == 2 and pixels.dtype.name in RESIZABLE[:2]:
        return pixels
    return grey(pixels)


def fit_square(plane: Plane, side_px: int) -> Plane:
    """Resize a plane until its longer side fits a square, and pad the shorter.

    The aspect ratio is kept: 300 x 400 becomes 384 x 512 in a square of 512. The image
    stays in the upper left corner, as SAM has it. Pixels are averaged on the way down and
    interpolated on the way up; labels take the nearest. The padding has the image's
    median and no cells, and is ignored.

    Parameters
    ----------
    plane : Plane
    side_px : int

    Returns
    -------
    Plane
        (side_px, side_px).
    """
    height, width = (int(side) for side in fitted_shape(plane.labels.shape, side_px))
    shrinks = height < plane.labels.shape[0]
    pixels = cv2.resize(
        plane.pixels,
        (width, height),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
    )
    padding = ((0, side_px - height), (0, side_px - width))
    nearest = np.ix_(
        _nearest(plane.labels.shape[0], height), _nearest(plane.labels.shape[1], width)
    )
    return Plane(
        np.pad(pixels, padding, constant_values=_median(plane.pixels)),
        np.pad(plane.labels[nearest], padding),
        np.pad(plane.ignored[nearest], padding, constant_values=True),
    )


def fitted_shape(shape: tuple[int, ...], side_px: int) -> tuple[int, int]:
    """(height, width) of what an image becomes in a square, without the padding."""
    longer = max(shape)
    height, width = (max(1, round(side * side_px / longer)) for side in shape)
    return height, width


def pad_to(plane: Plane, side_px: int) -> Plane:
    """Pad a plane that is smaller than a square, as `fit_square` does; larger ones stay."""
    missing = [(0, max(0, side_px - side)) for side in plane.labels.shape]
    return Plane(
        np.pad(plane.pixels, missing, constant_values=_median(plane.pixels)),
        np.pad(plane.labels, missing),
        np.pad(plane.ignored, missing, constant_values=True),
    )


def number_anew(labels: Labels) -> Labels:
    """Number cells from 1, in the order of their numbers, with no gaps."""
    numbers, places = np.unique(labels, return_inverse=True)
    first = 0 if numbers.size and numbers[0] == 0 else 1
    return np.asarray(places.reshape(labels.shape) + first, dtype=np.int32)


def _nearest(before_px: int, after_px: int) -> npt.NDArray[np.intp]:
    """For each row or column after resizing, the one whose centre lay nearest before."""
    centres = (np.arange(after_px) + 0.5) * (before_px / after_px)
    return np.minimum(centres.astype(np.intp), before_px - 1)


def _median(pixels: npt.NDArray[Any]) -> Any:
    return np.median(pixels).astype(pixels.dtype)
