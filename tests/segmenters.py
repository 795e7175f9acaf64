"""A segmenter whose answers are known, and images for it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from samcell_live.segmentation.models import Model
from samcell_live.segmentation.preprocess import scale_to_unit
from samcell_live.segmentation.segmenter import Segmenter
from samcell_live.segmentation.tiling import EvenTiling
from samcell_live.settings import SegmentationSettings


class SeesBrightness(nn.Module):
    """Says that the brighter a pixel, the deeper it lies in a cell."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(8.0))

    def forward(self, tiles: Tensor) -> Tensor:
        return self.gain * (tiles - 0.5)


DEFAULTS = SegmentationSettings()


def sees_brightness(settings: SegmentationSettings = DEFAULTS) -> Segmenter:
    model = Model(
        network=SeesBrightness(),
        name="brightness",
        sha256="0",
        prepare=scale_to_unit,
        tiling=EvenTiling(64, 16, overlap_px=8),
        most_tiles=4,
        peak_threshold=0.6,
        fill_threshold=0.2,
        cell_diameter_px=10.0,
    )
    return Segmenter(model, settings, torch.device("cpu"))


def blobs(
    centres: list[tuple[int, int]],
    *,
    shape: tuple[int, int] = (90, 150),
    radius_px: float = 9,
) -> npt.NDArray[np.uint16]:
    """12-bit image with bright round blobs."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    depth = [1 - np.hypot(y - cy, x - cx) / radius_px for cy, cx in centres]
    counts = 400 + 3600 * np.clip(np.max(depth, axis=0), 0, 1)
    return np.asarray(counts, dtype=np.uint16)


CENTRES = [(20, 20), (20, 36), (60, 70), (70, 130)]
