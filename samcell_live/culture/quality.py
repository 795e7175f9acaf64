"""Is the picture good, and is it a culture at all? Simple marks, each a number."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from samcell_live.records import NAN, Labels, Mask, Pixels

Image = npt.NDArray[np.float32]

COARSE_PX = 512
"""Illumination and likeness are judged on an image of at most this side."""
FINE_PX = 8.0
"""Structure wider than this is background; pixels of the coarse image."""
FAINTEST_COUNTS = 1.0
"""Fainter structure may be the rounding to whole counts."""
N_BLOCKS = 8


class ImageQuality(NamedTuple):
    """Marks that need no cells; the fields of `SeriesRow` with these names."""

    focus: float
    illumination: float
    saturated: float


class Appearance:
    """What can be said of a picture before its cells are known.

    That is most of the work on `image_quality` and `cell_likeness`, and can be done while
    the cells are looked for.

    Parameters
    ----------
    pixels : (height, width) uint8 or uint16
    bits : int
        Bits of the camera that carry data.
    """

    def __init__(self, pixels: Pixels, *, bits: int = 16) -> None:
        self._focus = focus(pixels)
        self._saturated = _saturated(pixels, bits)
        self._coarse = _coarse(pixels)
        self._fine = _fine(self._coarse)
        self._n_components = _n_components(self._fine)

    def judge(self, labels: Labels) -> tuple[ImageQuality, float]:
        """Give what `image_quality` and `cell_likeness` give for these cells.

        Parameters
        ----------
        labels : (height, width) int32
            0 on background.
        """
        cells = _cells(labels, self._coarse.shape)
        illumination = _illumination(self._coarse, cells)
        quality = ImageQuality(self._focus, illumination, self._saturated)
        return quality, _likeness(self._fine, self._n_components, cells)


def image_quality(
    pixels: Pixels, labels: Labels | None = None, *, bits: int = 16
) -> ImageQuality:
    """Judge the picture itself.

    Parameters
    ----------
    pixels : (height, width) uint8 or uint16
    labels : (height, width) int32, optional
        Cells, which are left out of the background.
    bits : int
        Bits of the camera that carry data.

    Returns
    -------
    ImageQuality
        ``focus``: see there.
        ``illumination``: darkest over brightest median of the background in 8 x 8
        blocks. NaN where less than half of the blocks have background.
        ``saturated``: fraction of pixels at the camera's limit.
    """
    coarse = _coarse(pixels)
    cells = None if labels is None else _cells(labels, coarse.shape)
    return ImageQuality(
        focus(pixels), _illumination(coarse, cells), _saturated(pixels, bits)
    )


def cell_likeness(pixels: Pixels, labels: Labels) -> float:
    """Say how far an image with its labels looks like a culture.

    The smaller of two marks, both on structure finer than about a cell:

    *Structure*: neighbouring pixels in and next to the labelled cells go together.
    Their correlation is about 0 in noise (an empty dish) and above 0.5 in cells; the
    mark rises from 0 at 0.1 to 1 at 0.5.

    *Variety*: structure has many shapes. The effective number of its Fourier
    components is below 10 for waves and gratings (a camera's test pattern) and in the
    hundreds or more for cells; the mark rises from 0 at 10 to 1 at 100.

    Parameters
    ----------
    pixels : (height, width) uint8 or uint16
    labels : (height, width) int32
        0 on background.

    Returns
    -------
    float
        0 to 1; below 0.5 do not trust the count. 0 where there is no cell. Dirt that
        was taken for cells is not told from cells, and those that lie only along the
        border are not seen.
    """
    fine = _fine(_coarse(pixels))
    return _likeness(fine, _n_components(fine), _cells(labels, fine.shape))


def focus(pixels: Pixels) -> float:
    """Contrast of structures about 1 to 2 pixels wide, over the mean.

    The root mean square of the difference of two Gaussians; compare it only within one
    view. NaN in a black image.
    """
    image = pixels.astype(np.float32)
    band = cv2.GaussianBlur(image, (0, 0), 1.0) - cv2.GaussianBlur(image, (0, 0), 2.0)
    mean = float(image.mean())
    return float(band.std()) / mean if mean > 0 else NAN


def _likeness(fine: Image, n_components: float, cells: Mask) -> float:
    if not cells.any():
        return 0.0
    structure = (_neighbour_correlation(fine, cells) - 0.1) / 0.4
    variety = math.log10(n_components / 10)
    return min(max(min(structure, variety), 0.0), 1.0)


def _illumination(coarse: Image, cells: Mask | None) -> float:
    background = coarse if cells is None else np.where(cells, np.float32(np.nan), coarse)
    rows = np.array_split(background, N_BLOCKS)
    blocks = [block for row in rows for block in np.array_split(row, N_BLOCKS, axis=1)]
    medians = [float(np.nanmedian(block)) for block in blocks if not np.isnan(block).all()]
    if len(medians) < len(blocks) / 2 or max(medians) <= 0:
        return NAN
    return min(medians) / max(medians)


def _saturated(pixels: Pixels, bits: int) -> float:
    """Fraction of pixels at the highest count that the camera can give."""
    top = min((1 << bits) - 1, int(np.iinfo(pixels.dtype).max))
    return float(np.mean(pixels >= top))


def _coarse(pixels: Pixels) -> Image:
    """Average the image down to a side of at most `COARSE_PX`, as a new array."""
    shrink = min(1.0, COARSE_PX / max(pixels.shape))
    height, width = (max(1, round(side * shrink)) for side in pixels.shape)
    image = cv2.resize(
        pixels.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA
    )
    return np.array(image, dtype=np.float32)


def _cells(labels: Labels, shape: tuple[int, ...]) -> Mask:
    """Where the cells of a coarse image are, with their rims two pixels around."""
    covered = (labels > 0).astype(np.float32)
    coarse = cv2.resize(covered, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    inside = (coarse > 0).astype(np.uint8)
    return np.asarray(cv2.dilate(inside, np.ones((5, 5), np.uint8)) > 0)


def _fine(coarse: Image) -> Image:
    """Structure narrower than `FINE_PX`; 0 along the border, where it is not known."""
    fine = coarse - cv2.GaussianBlur(coarse, (0, 0), FINE_PX)
    border = min(round(2 * FINE_PX), min(fine.shape) // 4)
    inside = np.s_[border : fine.shape[0] - border, border : fine.shape[1] - border]
    framed = np.zeros_like(fine)
    framed[inside] = fine[inside]
    return framed


def _neighbour_correlation(fine: Image, where: Mask) -> float:
    """Pearson's r between pixels and their right-hand neighbours, both inside."""
    pairs = where[:, 1:] & where[:, :-1]
    left, right = fine[:, :-1][pairs], fine[:, 1:][pairs]
    if pairs.sum() < 2 or min(left.std(), right.std()) < FAINTEST_COUNTS:
        return 0.0
    return float(np.corrcoef(left, right)[0, 1])


def _n_components(fine: Image) -> float:
    """Participation ratio of the power spectrum, (sum P)^2 / sum P^2."""
    height, width = fine.shape
    window = np.outer(np.hanning(height), np.hanning(width))
    power = np.abs(np.fft.rfft2(fine * window)) ** 2
    total = float(power.sum())
    return total**2 / float((power**2).sum()) if total > 0 else 1.0
