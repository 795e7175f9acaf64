"""Labelled fields of view to train on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.preprocess import grey, standardise

if TYPE_CHECKING:
    from pathlib import Path

    from samcell_live.records import DistanceMap, Labels
    from samcell_live.segmentation.preprocess import GreyImage


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One labelled image, ready to be cropped."""

    name: str
    image: GreyImage
    """Standardised."""
    distance: DistanceMap
    """The target."""
    labels: Labels


@dataclass(frozen=True, slots=True)
class Source:
    """Fields of one kind, and how crops are taken from them."""

    name: str
    fields: tuple[Field, ...]
    share: float
    """Crops taken from here, relative to the other sources."""
    zoom: tuple[float, float]
    """Crops are enlarged by a factor between these."""

    @property
    def cell_diameter_px(self) -> float:
        """Median over all cells of the diameter of a circle with their area."""
        areas = np.concatenate([np.bincount(f.labels.ravel())[1:] for f in self.fields])
        return float(2 * np.sqrt(np.median(areas[areas > 0]) / np.pi))


def read_fields(folder: Path) -> tuple[Field, ...]:
    """Read every ``NAME.png`` that has a ``NAME_mask.png`` beside it, by name.

    Raises
    ------
    ValueError
        If there is no such pair, a file is no image, or a mask does not fit its image.
    """
    masks = sorted(folder.glob("*_mask.png"))
    if not masks:
        raise ValueError(
            f"{folder} has no NAME_mask.png beside a NAME.png. "
            "Give a folder of such pairs of image and labelled cells."
        )
    return tuple(_read_pair(mask) for mask in masks)


def _read_pair(mask: Path) -> Field:
    name = mask.stem.removesuffix("_mask")
    pixels, labels = _read_png(mask.with_name(f"{name}.png")), _read_png(mask)
    if pixels.shape != labels.shape:
        raise ValueError(
            f"{mask} has shape {labels.shape}, its image {pixels.shape}. "
            "A mask labels each pixel of its image."
        )
    return make_field(name, pixels, labels.astype(np.int32))


def _read_png(path: Path) -> cv2.typing.MatLike:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{path} is missing or no image; a grey PNG is expected there.")
    return pixels


def make_field(name: str, pixels: cv2.typing.MatLike, labels: Labels) -> Field:
    """Prepare one labelled image.

    Parameters
    ----------
    name : str
        For reports.
    pixels : (height, width) integers or floats
    labels : (height, width) int32
    """
    return Field(name, standardise(grey(pixels)), distance_map(labels), labels)
