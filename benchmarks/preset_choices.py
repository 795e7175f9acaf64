"""The choices that `preset.py` compares: how images are prepared, tiled and split."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
import torch
from torch import Tensor

from samcell_live.records import DistanceMap, Labels, Mask
from samcell_live.segmentation.preprocess import GreyImage, scale_to_unit
from samcell_live.segmentation.reference import (
    BORDER_PX,
    STRIDE_PX,
    TILE_PX,
    centroid_markers,
    tile_starts,
)
from samcell_live.segmentation.tiling import predict_in_tiles

Prepare: TypeAlias = Callable[[GreyImage], GreyImage]
Predict: TypeAlias = Callable[[Tensor], Tensor]


class Choice(NamedTuple):
    """One way to run a network."""

    preparation: str
    tiling: str
    markers: str

    @property
    def label(self) -> str:
        """All three, for tables."""
        return ", ".join(self)


# --- Preparation ----------------------------------------------------------------------


def min_max(image: GreyImage) -> GreyImage:
    """Bring the darkest pixel to 0 and the brightest to 1."""
    return _bring_to_unit(image, float(image.min()), float(image.max()))


def clip_percentiles(image: GreyImage) -> GreyImage:
    """Bring the 0.1th to the 99.9th percentile to 0 to 1."""
    low, high = np.percentile(image, [0.1, 99.9])
    return _bring_to_unit(image, float(low), float(high))


def _bring_to_unit(image: GreyImage, low: float, high: float) -> GreyImage:
    span = high - low if high > low else 1.0
    return np.asarray(np.clip((image - low) / span, 0, 1), dtype=np.float32)


def equalise(image: GreyImage, clip: float) -> GreyImage:
    """Bring to 8 bits by min-max, equalise 8 x 8 regions (CLAHE), and min-max again."""
    return equalise_levels(min_max(image), clip)


def equalise_levels(unit: GreyImage, clip: float = 1.0) -> GreyImage:
    """Equalise what spans 0 to 1 already, or a tile of it, as the reference does."""
    levels = np.rint(unit * 255).astype(np.uint8)
    equalised = cv2.createCLAHE(clipLimit=clip, tileGridSize=(8, 8)).apply(levels)
    return min_max(equalised.astype(np.float32))


def keep(image: GreyImage) -> GreyImage:
    """Leave an image as it is."""
    return image


PREPARATIONS: dict[str, tuple[Prepare, Prepare]] = {
    "min-max": (min_max, keep),
    "0.1 to 99.9 %": (clip_percentiles, keep),
    "min-max of 3 x 3 median": (scale_to_unit, keep),
    "CLAHE 1": (partial(equalise, clip=1.0), keep),
    "CLAHE 3": (partial(equalise, clip=3.0), keep),
    "min-max per tile": (min_max, min_max),
    "CLAHE 1 per tile": (min_max, equalise_levels),
}
"""What is done to the whole image, and then to each tile."""

# --- Tiling ---------------------------------------------------------------------------


def predict_with_overlap(
    image: GreyImage, predict: Predict, *, overlap_px: int
) -> DistanceMap:
    """Predict as samcell_live does: every pixel has its full weight."""
    images = torch.from_numpy(image)[None]
    return predict_in_tiles(images, predict, overlap_px=overlap_px)[0].numpy()


def predict_like_reference(image: GreyImage, predict: Predict) -> DistanceMap:
    """Tile and blend as PyPI's samcell 1.2.0 does: stride 192, weight 0 at tiles' edges.

    `segmentation.reference` repeats it to the number, and has a preparation built in;
    here that is a choice of its own. The pixels that no tile gives weight, row 0 and
    column 0, take their neighbour's value, which is what it means to do.
    """
    fade_in = 0.5 * (1 - np.cos(np.pi * np.arange(BORDER_PX) / BORDER_PX))
    profile = np.concatenate([fade_in, np.ones(STRIDE_PX), fade_in[::-1]])
    weights = np.outer(profile, profile).astype(np.float32)
    starts = [tile_starts(length_px) for length_px in image.shape]
    missing = [
        (0, places[-1] + TILE_PX - length_px)
        for places, length_px in zip(starts, image.shape, strict=True)
    ]
    mirrored = np.pad(image, missing, mode="symmetric")
    blended, total = np.zeros_like(mirrored), np.zeros_like(mirrored)
    for top, left in product(*starts):
        place = np.s_[top : top + TILE_PX, left : left + TILE_PX]
        tile = torch.from_numpy(mirrored[place])[None]
        blended[place] += predict(tile)[0].numpy() * weights
        total[place] += weights
    known = np.divide(blended, total, out=blended, where=total > 0)
    known[0], known[:, 0] = known[1], known[:, 1]
    height, width = image.shape
    return known[:height, :width]


TILINGS: dict[str, Callable[[GreyImage, Predict], DistanceMap]] = {
    "224": partial(predict_with_overlap, overlap_px=32),
    "192": partial(predict_with_overlap, overlap_px=64),
    "192 as reference": predict_like_reference,
}

# --- Markers --------------------------------------------------------------------------


def regions(above_peak: Mask, least_px: int) -> Labels:
    """Seed each cell with its region above the peak threshold, unless it is a speck."""
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(above_peak.astype(np.uint8))
    return np.asarray(numbers * (stats[:, cv2.CC_STAT_AREA] >= least_px)[numbers])


MARKERS: dict[str, Callable[[Mask], Labels]] = {
    "region": partial(regions, least_px=1),
    "region of 2 px": partial(regions, least_px=2),
    "region of 4 px": partial(regions, least_px=4),
    "region of 9 px": partial(regions, least_px=9),
    "region of 16 px": partial(regions, least_px=16),
    "centroid": centroid_markers,
}
