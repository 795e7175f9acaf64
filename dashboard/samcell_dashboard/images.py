"""Frames and cell outlines as PNG files that a browser lays over each other."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from samcell_live.records import Labels, Mask, Pixels

MAX_SIDE_PX = 1024
"""Longest side of an image that is sent."""
FINE_SIDE_PX = 1400
"""Outlines are drawn on a grid of about this side, finer than a small image's pixels."""

CONTRAST_PERCENTILES = (0.3, 99.7)
OUTLINE_RGB = (255, 176, 0)
"""Amber stands out from grey and is told from it by every kind of colour vision."""


def frame_png(pixels: Pixels) -> bytes:
    """Show a frame in grey, from its 0.3rd to its 99.7th percentile.

    Parameters
    ----------
    pixels : (height, width) uint8 or uint16
        Camera counts.
    """
    return _png(Image.fromarray(to_8_bits(_block_mean(pixels, _step(pixels.shape)))))


def outlines_png(labels: Labels) -> bytes:
    """Draw the outline of every cell, transparent elsewhere.

    Parameters
    ----------
    labels : (height, width) int32
        0 on background, 1..n_cells elsewhere.
    """
    step = _step(labels.shape)
    height, width = (side // step * step for side in labels.shape)
    shown = labels[step // 2 : height : step, step // 2 : width : step]
    finer = max(round(FINE_SIDE_PX / max(shown.shape)), 1)
    shown = shown.repeat(finer, axis=0).repeat(finer, axis=1)
    line = outline(shown)
    if finer > 1:  # two of the fine pixels wide, and never wider than the image's own
        line |= outline(np.where(line, 0, shown))
    image = Image.fromarray(line.astype(np.uint8), mode="P")
    image.putpalette([0, 0, 0, *OUTLINE_RGB])
    return _png(image, transparency=0)


def to_8_bits(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Stretch to 0..255 between two percentiles; a flat image is mid-grey."""
    low, high = np.percentile(values, CONTRAST_PERCENTILES)
    if high == low:
        return np.full(values.shape, 128, dtype=np.uint8)
    stretched = np.clip((values - low) / (high - low), 0, 1) * 255
    return np.asarray(stretched.round(), dtype=np.uint8)


def outline(labels: Labels) -> Mask:
    """Mark the pixels of a cell that touch something else than that cell.

    Examples
    --------
    >>> outline(np.array([[0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1]])).astype(int).tolist()
    [[0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]]
    """
    edge = np.zeros(labels.shape, dtype=bool)
    differs = labels[1:] != labels[:-1]
    edge[1:] |= differs
    edge[:-1] |= differs
    differs = labels[:, 1:] != labels[:, :-1]
    edge[:, 1:] |= differs
    edge[:, :-1] |= differs
    return np.asarray(edge & (labels > 0))


def _step(shape: tuple[int, ...]) -> int:
    """Every how many pixels one is shown."""
    return -(-max(shape) // MAX_SIDE_PX)


def _block_mean(pixels: Pixels, step: int) -> npt.NDArray[np.float32]:
    height, width = (side // step * step for side in pixels.shape)
    blocks = pixels[:height, :width].reshape(height // step, step, width // step, step)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def _png(image: Image.Image, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG", compress_level=4, **options)
    return file.getvalue()
