"""What every reader gives: images with their truth, read one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from samcell_live.records import Labels, Mask


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Cells of one image, as far as somebody marked them."""

    labels: Labels
    """(height, width) int32: 0 on background, a number for each cell, gaps allowed."""
    ignored: Mask
    """(height, width) bool: where the truth says nothing, not even background."""
    n_lost: int = 0
    """Cells that were described but have no pixel: of no area, or all under others."""
    n_overlapping_px: int = 0
    """Pixels that several cells claimed; the smallest of them got each."""
    n_unmarked: int = 0
    """Cells that are known to be there, but whose outline nobody drew."""
    highest_possible: int | None = None
    """Largest number that the file's type of integers holds; None if it is no matter."""

    @classmethod
    def complete(cls, labels: Labels, highest_possible: int | None = None) -> Truth:
        """Truth that speaks of every pixel."""
        ignored = np.zeros(labels.shape, dtype=np.bool_)
        return cls(labels, ignored, highest_possible=highest_possible)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledImage:
    """One image and its truth, neither of which is read before it is asked for."""

    name: str
    split: str
    version: str
    """Another text once the image or its truth has changed on disk."""
    read_pixels: Callable[[], npt.NDArray[Any]]
    """(height, width), or with 3 or 4 colours last, as stored. ValueError if unreadable."""
    read_truth: Callable[[], Truth]
    """ValueError if it cannot be read or holds no labels."""


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """Labelled images from one place."""

    path: Path
    format: str
    """In words, for reports."""
    images: tuple[LabelledImage, ...]
    without_truth: tuple[str, ...] = ()
    """Images that nobody labelled, where there ought to be labels; they are left out."""

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the parts, such as ``train`` and ``val``, in the order of the images."""
        return tuple(dict.fromkeys(image.split for image in self.images))

    def of_split(self, split: str) -> tuple[LabelledImage, ...]:
        """Images of one part.

        Raises
        ------
        ValueError
            If there is no part of that name.
        """
        if split not in self.splits:
            raise ValueError(
                f"{self.path} has no part {split!r}, but {', '.join(self.splits)}. "
                "Name one of these."
            )
        return tuple(image for image in self.images if image.split == split)


ALL = "all"
"""Name of the only part of data that come in one."""

SPLITS = ("train", "val", "test")
"""Parts as folders and files are named after them."""


def read_pair(image: LabelledImage) -> tuple[npt.NDArray[Any], Truth]:
    """Read an image and its truth, and see that they fit.

    Raises
    ------
    ValueError
        If one cannot be read, or they differ in height or width.
    """
    pixels, truth = image.read_pixels(), image.read_truth()
    if pixels.shape[:2] != truth.labels.shape:
        raise ValueError(
            f"{image.name} has a mask of shape {truth.labels.shape}, but the image is "
            f"{pixels.shape}. A mask labels each pixel of its image."
        )
    return pixels, truth
