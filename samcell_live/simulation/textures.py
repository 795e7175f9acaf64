"""Patterns that repeat without a seam: grain of the cytoplasm, granules, debris."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from samcell_live.simulation.randomness import stream

if TYPE_CHECKING:
    from samcell_live.simulation.arrays import Map

TEXTURE_PX = 512
TEXEL_UM = 0.5
PERIOD_UM = TEXTURE_PX * TEXEL_UM


@cache
def grain(name: str, smallest_um: float, largest_um: float) -> Map:
    """Make band-limited noise with mean 0 and standard deviation 1.

    Returns
    -------
    (TEXTURE_PX, TEXTURE_PX) float32
        Seamless; texels are `TEXEL_UM` apart. Every name has a noise of its own.
    """
    frequency = np.hypot(
        np.fft.fftfreq(TEXTURE_PX, TEXEL_UM)[:, None], np.fft.rfftfreq(TEXTURE_PX, TEXEL_UM)
    )
    band = np.exp(-((frequency * smallest_um) ** 2)) - np.exp(
        -((frequency * largest_um) ** 2)
    )
    white = stream(f"texture {name}").standard_normal((TEXTURE_PX, TEXTURE_PX))
    noise = np.fft.irfft2(np.fft.rfft2(white) * band, (TEXTURE_PX, TEXTURE_PX))
    return np.asarray(noise / noise.std(), np.float32)


@cache
def specks(name: str, smallest_um: float, largest_um: float, coverage: float) -> Map:
    """Keep only the peaks of a grain: blobs up to 1 high, 0 between them."""
    noise = grain(name, smallest_um, largest_um)
    floor = np.quantile(noise, 1 - coverage)
    return np.asarray(np.clip((noise - floor) / (noise.max() - floor), 0, None), np.float32)


def sample(texture: Map, y_um: Map, x_um: Map) -> Map:
    """Read a texture at (n,) places, between its texels by interpolation.

    Places must lie within some tens of periods of 0: OpenCV counts texels in 16 bits.
    """
    read = cv2.remap(
        texture,
        _folded(x_um / np.float32(TEXEL_UM)),
        _folded(y_um / np.float32(TEXEL_UM)),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    return np.asarray(read.ravel()[: x_um.size], np.float32)


def _folded(places: Map) -> Map:
    """Make a list two-dimensional: OpenCV refuses none, and sides above 32767."""
    width = 1024
    return np.pad(places, (0, width - places.size % width)).reshape(-1, width)
