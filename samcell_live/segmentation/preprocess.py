"""From whatever a camera or a file gives to the numbers that a network reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from samcell_live.records import Mask

GreyImage: TypeAlias = npt.NDArray[np.float32]
"""(height, width), any scale, all finite."""

STANDARD_LIMIT = 8.0
"""`standardise` cuts off what lies this many spreads from the median."""


def grey(pixels: npt.NDArray[Any]) -> GreyImage:
    """Read an image of any number type as grey values, in their order.

    Pixels that are not finite take the median of the others.

    Parameters
    ----------
    pixels : (height, width) bool, integers or floats
        12- and 16-bit counts keep their order; nothing is cut to 8 bits.

    Returns
    -------
    (height, width) float32

    Raises
    ------
    ValueError
        If this is not one grey image, is empty, is not real numbers, or has no finite
        pixel.

    Examples
    --------
    >>> grey(np.array([[255, 256, 4095]], dtype=np.uint16)).tolist()
    [[255.0, 256.0, 4095.0]]
    """
    if pixels.ndim != 2 or pixels.size == 0:
        raise ValueError(
            f"A grey image is (height, width) with at least one pixel, but this one has "
            f"shape {pixels.shape}. Give one channel and one plane."
        )
    if pixels.dtype.kind not in "buif":
        raise ValueError(
            f"A grey image holds real numbers, but this one holds {pixels.dtype}. "
            "Convert it to integers or floats."
        )
    if pixels.dtype.kind != "f":
        return pixels.astype(np.float32)
    known = np.isfinite(pixels)
    if not known.any():
        raise ValueError(
            f"All {pixels.size} pixels are NaN or infinite; there is no image to segment."
        )
    return _bounded(pixels, known)


def _bounded(pixels: npt.NDArray[np.floating], known: Mask) -> GreyImage:
    """Fill unknown pixels, and shrink values that float32 cannot hold."""
    values = pixels[known]
    largest = float(np.abs(values).max())
    shrink = 1.0 if largest < 1e30 else 1e30 / largest
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
    low, middle, high = np.percentile(image, [0.5, 50, 99.5])
    if high <= low:
        low, high = float(image.min()), float(image.max())
    spread = float(np.clip(image, low, high).std(dtype=np.float64))
    if spread <= abs(float(middle)) * 1e-6:
        return np.zeros_like(image)
    standard = (image - np.float32(middle)) / np.float32(spread)
    return np.clip(standard, -STANDARD_LIMIT, STANDARD_LIMIT, out=standard)


def scale_to_unit(image: GreyImage) -> GreyImage:
    """Shift and scale an image so that it spans 0 to 1.

    Parameters
    ----------
    image : (height, width) float32

    Returns
    -------
    (height, width) float32
        All 0 for a constant image.
    """
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return np.zeros_like(image)
    return np.asarray((image - low) / (high - low), dtype=np.float32)
