"""Patterns that repeat without a seam: grain of the cytoplasm, granules, debris."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from samcell_live.simulation.randomness import stream

Texture = npt.NDArray[np.float32]
"""(TEXTURE_PX, TEXTURE_PX), seamless, `TEXEL_UM` apart."""

TEXTURE_PX = 512
TEXEL_UM = 0.5


@lru_cache(maxsize=16)
def grain(name: str, smallest_um: float, largest_um: float) -> Texture:
    """Make band-limited noise with mean 0 and standard deviation 1."""
    frequency = np.hypot(
        np.fft.fftfreq(TEXTURE_PX, TEXEL_UM)[:, None], np.fft.rfftfreq(TEXTURE_PX, TEXEL_UM)
    )
    band = np.exp(-((frequency * smallest_um) ** 2)) - np.exp(
        -((frequency * largest_um) ** 2)
    )
    white = stream("texture", name).standard_normal((TEXTURE_PX, TEXTURE_PX))
    noise = np.fft.irfft2(np.fft.rfft2(white) * band, (TEXTURE_PX, TEXTURE_PX))
    return np.asarray(noise / noise.std(), np.float32)


@lru_cache(maxsize=16)
def specks(name: str, smallest_um: float, largest_um: float, coverage: float) -> Texture:
    """Keep only the peaks of a grain: isolated blobs, 0 between them."""
    noise = grain(name, smallest_um, largest_um)
    floor = np.quantile(noise, 1 - coverage)
    return np.asarray(np.clip((noise - floor) / (noise.max() - floor), 0, None), np.float32)


def sample(
    texture: Texture, y_um: npt.NDArray[np.float32], x_um: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Read a texture at any places, (n,) each, between its texels by interpolation."""
    read = cv2.remap(
        texture,
        _folded(x_um / np.float32(TEXEL_UM) % TEXTURE_PX),
        _folded(y_um / np.float32(TEXEL_UM) % TEXTURE_PX),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    return np.asarray(read.ravel()[: x_um.size], np.float32)


def _folded(places: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Make a list two-dimensional, as OpenCV wants it (and shorter than 32767)."""
    width = 1024
    return np.pad(places, (0, -places.size % width)).reshape(-1, width)
