"""From whatever a camera or a file gives to the numbers that a network reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from samcell_live.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samcell_live.records import Mask

GreyImage: TypeAlias = npt.NDArray[np.float32]
"""(height, width), any scale, all finite."""

STANDARD_LIMIT = 8.0
"""`standardise` cuts off what lies this many spreads from the median."""


MOST_COUNTS = 65535
"""Highest value of a 16-bit camera."""

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601), as image files are read."""

STATISTICS_PX = 2**24
"""Of larger images every k-th pixel is looked at to find their range."""


def grey(pixels: npt.NDArray[Any]) -> GreyImage:
    """Read an image of any number type as grey values, in their order.

    Colours become their luminance and opacity is left aside; equal channels give what one
    of them would. Pixels that are not finite take the median of the others.

    Parameters
    ----------
    pixels : (height, width) or (height, width, 1, 3 or 4)
        Bool, integers or floats. 12- and 16-bit counts keep their order; nothing is cut
        to 8 bits.

    Returns
    -------
    (height, width) float32

    Raises
    ------
    ValueError
        If this is not one image, is empty, is not real numbers, or has no finite pixel.

    Examples
    --------
    >>> grey(np.array([[255, 256, 4095]], dtype=np.uint16)).tolist()
    [[255.0, 256.0, 4095.0]]
    """
    if pixels.dtype.kind not in "buif":
        raise ValueError(
            f"An image holds real numbers, but this one holds {pixels.dtype}. "
            "Convert it to integers or floats."
        )
    plane = _luminance(pixels) if pixels.ndim == 3 else pixels
    if plane.ndim != 2 or plane.size == 0:
        raise ValueError(
            f"An image is (height, width), or (height, width, 3 or 4) in colour, with at "
            f"least one pixel, but this one has shape {pixels.shape}. Give one plane."
        )
    if plane.dtype.kind != "f":
        return plane.astype(np.float32)
    known = np.isfinite(plane)
    if not known.any():
        raise ValueError(
            f"All {plane.size} pixels are NaN or infinite; there is no image to segment."
        )
    return _bounded(plane, known)


def _luminance(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Weigh the colours of an RGB or RGBA image; others come back as they are."""
    height, width, channels = pixels.shape
    if channels == 1:
        return pixels[..., 0]
    if channels not in (3, 4):
        return pixels
    red, green, blue = (pixels[..., i] for i in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red
    luminance = np.zeros((height, width), np.result_type(pixels.dtype, np.float32))
    for colour, weight in zip((red, green, blue), LUMINANCE, strict=True):
        luminance += colour * weight
    return luminance


def _bounded(pixels: npt.NDArray[np.floating], known: Mask) -> GreyImage:
    """Fill unknown pixels, and shrink values that float32 cannot hold."""
    values = pixels if known.all() else pixels[known]
    largest = max(abs(float(values.min())), abs(float(values.max())))
    shrink = 1.0 if largest < 1e30 else 1e30 / largest
    if values is pixels and shrink == 1:
        return pixels.astype(np.float32)
    filled = np.where(known, pixels, np.median(values)) * shrink
    return np.asarray(filled, dtype=np.float32)


def standardise(image: GreyImage) -> GreyImage:
    """Shift and scale an image to median 0 and spread 1.

    The spread is the standard deviation of all but the darkest and brightest 0.5 % of
    pixels, so that a speck of dust or a dead pixel does not decide it. Values further
    than `STANDARD_LIMIT` from the median are cut off there.

    Parameters
    ----------
    image : (height, width) float32

    Returns
    -------
    (height, width) float32
        All 0 for a constant image.
    """
    looked_at = image.ravel()[:: -(-image.size // STATISTICS_PX)]
    low, middle, high = _percentiles(looked_at, [0.5, 50, 99.5])
    if high <= low:
        low, high = float(image.min()), float(image.max())
    _, deviation = cv2.meanStdDev(np.clip(looked_at, low, high, dtype=np.float32))
    spread = float(deviation.item())  # summed up in float64
    if spread <= abs(float(middle)) * 1e-6:
        return np.zeros_like(image)
    standard = image - np.float32(middle)
    standard /= np.float32(spread)
    return np.clip(standard, -STANDARD_LIMIT, STANDARD_LIMIT, out=standard)


def _percentiles(values: GreyImage, percents: Sequence[float]) -> npt.NDArray[np.float64]:
    """What `np.percentile` gives; a camera's counts are counted, which is faster.

    Examples
    --------
    >>> _percentiles(np.array([7, 9, 8, 20], np.float32), [0, 50, 100]).tolist()
    [7.0, 8.5, 20.0]
    """
    counts = _as_counts(values)
    if counts is None:
        return np.asarray(np.percentile(values, percents))
    n_of_each = np.zeros(MOST_COUNTS + 1, np.int64)
    _count(counts, n_of_each)
    n_up_to = np.cumsum(n_of_each)
    place = np.array(percents) / 100 * (values.size - 1)
    below = np.searchsorted(n_up_to, np.floor(place), side="right")
    above = np.searchsorted(n_up_to, np.ceil(place), side="right")
    return np.asarray(below + (above - below) * (place % 1))


def _as_counts(values: GreyImage) -> npt.NDArray[np.uint16] | None:
    """Give values that are a 16-bit camera's counts as such; None if they are not."""
    if values.min() < 0 or values.max() > MOST_COUNTS:
        return None
    counts = values.astype(np.uint16)
    return counts if np.array_equal(counts, values) else None


@compiled
def _count(counts: npt.NDArray[np.uint16], n_of_each: npt.NDArray[np.int64]) -> None:
    for count in counts:
        n_of_each[count] += 1


def scale_to_unit(image: GreyImage) -> GreyImage:
    """Shift and scale an image so that it spans 0 to 1, single hot or dead pixels apart.

    The range is that of the image's 3 x 3 median; what lies beyond is cut off. Measured:
    docs/decisions/0013-default-preset.md.

    Parameters
    ----------
    image : (height, width) float32

    Returns
    -------
    (height, width) float32
        All 0 for a constant image.
    """
    smooth = cv2.medianBlur(image, 3)
    low, high = float(smooth.min()), float(smooth.max())
    if high <= low:  # no more than single pixels
        low, high = float(image.min()), float(image.max())
    return _stretch(image, low, high)


def scale_to_bytes(image: GreyImage) -> GreyImage:
    """Bring an image to the 256 grey levels that the package samcell reads.

    An image that has them already stays as it is. Any other is scaled so that it spans
    0 to 255; the package itself wraps such an image, 256 to 0 and 4095 to 255.

    Parameters
    ----------
    image : (height, width) float32

    Returns
    -------
    (height, width) float32
        Whole numbers from 0 to 255.
    """
    whole = np.rint(image)
    if image.min() >= 0 and image.max() <= 255 and np.array_equal(whole, image):
        return image
    unit = _stretch(image, float(image.min()), float(image.max()))
    return np.asarray(np.rint(unit * np.float32(255)))


def _stretch(image: GreyImage, low: float, high: float) -> GreyImage:
    if high <= low:
        return np.zeros_like(image)
    unit = image - np.float32(low)
    unit /= np.float32(high - low)
    return np.clip(unit, 0, 1, out=unit)
