"""Labelled images with their distance maps, as they are kept on disk for training."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, ValidationError

from samcell_live.records import DistanceMap, Labels, Mask
from samcell_live.settings import Settings

VERSION = 1
"""Of what is written here; another one is made anew."""

INDEX = "index.json"


class Preparation(Settings):
    """How labelled images are prepared."""

    fit_px: int | None = Field(
        None,
        ge=32,
        description="Resize each image to a square of this side, padded; None: as it is.",
    )


class PreparedImage(BaseModel, frozen=True):
    """One line of the index."""

    name: str
    split: str
    file: str
    height_px: int
    width_px: int
    """Of the image without its padding, which lies below and on the right."""
    n_cells: int
    n_lost: int
    """Cells that resizing left without a pixel."""


class Index(BaseModel, frozen=True):
    """What a preparation holds; written last, so that it says that all is there."""

    version: int = Field(VERSION, ge=VERSION, le=VERSION)
    preparation: Preparation
    images: tuple[PreparedImage, ...]


class PreparedArrays(NamedTuple):
    """Window of a prepared image; arrays of one (height, width)."""

    pixels: npt.NDArray[Any]
    """uint8, uint16 or float32, grey."""
    labels: Labels
    """int32; numbers are those of the whole image, so a window has gaps."""
    distance: DistanceMap
    """float32; of the whole image, so a cell at the window's edge keeps its depth."""
    ignored: Mask
    """bool: padding, and where the truth says nothing."""


class PreparedData:
    """Prepared images, of which only what is asked for is read.

    Raises
    ------
    ValueError
        If `folder` holds no complete preparation of this version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            index = Index.model_validate_json((folder / INDEX).read_bytes())
        except (OSError, ValidationError) as error:
            raise ValueError(
                f"{folder} is no complete prepared data of version {VERSION}. "
                "Call samcell-live data prepare again; it goes on where it was."
            ) from error
        self.preparation = index.preparation
        self.images = index.images

    def of_split(self, split: str) -> tuple[PreparedImage, ...]:
        """Images of one part; none if there is no such part."""
        return tuple(image for image in self.images if image.split == split)

    def read(
        self, image: PreparedImage, window: tuple[slice, slice] = (slice(None), slice(None))
    ) -> PreparedArrays:
        """Read an image, or a window of it: rows, columns."""
        stored = np.load(self.folder / image.file, mmap_mode="r")[window]
        labels = stored["labels"].astype(np.int32)
        return PreparedArrays(
            np.array(stored["pixels"]),
            labels,
            np.array(stored["distance"]),
            np.array(stored["ignored"]),
        )
