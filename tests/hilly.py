"""Distance maps without cells behind them."""

from __future__ import annotations

import cv2
import numpy as np


def hills(seed: int, blur_px: float) -> np.ndarray:
    """A hilly map of 0 to 1, no two heights of which are equal."""
    noise = np.random.default_rng(seed).normal(size=(40, 56))
    smooth = cv2.GaussianBlur(noise, (0, 0), blur_px)
    return np.asarray((smooth - smooth.min()) / np.ptp(smooth), dtype=np.float32)
