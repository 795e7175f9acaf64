"""Texture inside cells: Haralick's measures of which grey levels lie side by side."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from skimage.feature import graycomatrix, graycoprops

from samcell_live.records import NAN, Labels

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

GREY_LEVELS = 32
DISTANCES_PX = (1, 2)
ANGLES_RAD = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
OUTSIDE = 0
"""Grey level of pixels that are not the cell's; its pairs are dropped."""


class Textures(NamedTuple):
    """Columns of texture, (n_cells,) each, without unit; names as in ``graycoprops``."""

    texture_contrast: FloatArray
    texture_dissimilarity: FloatArray
    texture_homogeneity: FloatArray
    texture_energy: FloatArray
    texture_correlation: FloatArray
    texture_asm: FloatArray


PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation", "ASM")
"""What scikit-image calls the columns of `Textures`, in their order."""


def measure_textures(
    labels: Labels,
    image: npt.NDArray[Any],
    boxes: IntArray,
    *,
    grey_levels: int = GREY_LEVELS,
) -> Textures:
    """Measure the texture of every cell from its grey-level co-occurrence matrices.

    Parameters
    ----------
    labels : (height, width) int32
        0 on background, 1..n_cells elsewhere, with no gaps.
    image : (height, width) of any real dtype
        Any range. NaN and infinite pixels are left out.
    boxes : (n_cells, 4) int64
        Half-open bounding boxes: y0, x0, y1, x1.
    grey_levels : int
        Into how many equal steps the range of the image is divided first.

    Returns
    -------
    Textures
        Means over pairs at distances of 1 and 2 pixels in four directions, each pair
        counted both ways. Only pairs with both pixels in the cell count; a cell
        without any is NaN. The correlation of an even cell is 1, as in scikit-image.

    References
    ----------
    Haralick, Shanmugam and Dinstein (1973), "Textural features for image
    classification".
    """
    low, high = _finite_range(image)
    measured = np.full((len(boxes), len(PROPERTIES)), NAN)
    for cell, (y0, x0, y1, x1) in enumerate(boxes):
        levels = _quantise(image[y0:y1, x0:x1], low, high, grey_levels)
        levels[labels[y0:y1, x0:x1] != cell + 1] = OUTSIDE
        measured[cell] = _texture(levels, grey_levels)
    return Textures(*measured.T)


def _texture(levels: npt.NDArray[np.uint16], grey_levels: int) -> FloatArray:
    """`PROPERTIES` of one cell; NaN if no two of its pixels lie at such a distance."""
    pairs = graycomatrix(
        levels, DISTANCES_PX, ANGLES_RAD, levels=grey_levels + 1, symmetric=True
    )
    inside = np.delete(np.delete(pairs, OUTSIDE, axis=0), OUTSIDE, axis=1)
    some = inside[:, :, inside.any(axis=(0, 1))]
    if some.size == 0:
        return np.full(len(PROPERTIES), NAN)
    some = some[:, :, :, np.newaxis]
    return np.array([graycoprops(some, name).mean() for name in PROPERTIES])


def _finite_range(image: npt.NDArray[Any]) -> tuple[float, float]:
    finite = image[np.isfinite(image)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _quantise(
    values: npt.NDArray[Any], low: float, high: float, grey_levels: int
) -> npt.NDArray[np.uint16]:
    """Grey levels 1 to `grey_levels`; pixels that are not finite count as outside."""
    finite = np.isfinite(values)
    levels = np.full(values.shape, OUTSIDE, dtype=np.uint16)
    steps = (values[finite].astype(np.float64) - low) * (grey_levels / ((high - low) or 1))
    levels[finite] = 1 + np.minimum(steps, grey_levels - 1)
    return levels
