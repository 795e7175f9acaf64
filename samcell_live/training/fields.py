"""Labelled fields of view to train on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from samcell_live.records import NAN
from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.preprocess import grey, standardise
from samcell_live.training.data.labelled import read_pair
from samcell_live.training.data.pairs import read_pairs

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

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
    typical_diameter_px: float
    """Median over cells of the diameter of a circle with their area; NaN without any."""


@dataclass(frozen=True, slots=True)
class Source:
    """Fields of one kind, and how crops are taken from them."""

    name: str
    fields: tuple[Field, ...]
    share: float
    """Crops taken from here, relative to the other sources."""


def read_fields(
    folder: Path, *, every: int | None = None, held_back: bool = False
) -> tuple[Field, ...]:
    """Read images that have a mask beside them, by name; see `read_pairs`.

    Parameters
    ----------
    folder : Path
    every : int, optional
        One image in this many, the last of each group, is held back. Unset: none is.
    held_back : bool
        Read those that are held back, and not the others.

    Raises
    ------
    ValueError
        If there is no such pair, a file is no image, or a mask does not fit its image.
    """
    fields = []
    for number, image in enumerate(read_pairs(folder).images, start=1):
        if (every is not None and number % every == 0) != held_back:
            continue
        pixels, truth = read_pair(image)
        fields.append(make_field(image.name, pixels, truth.labels))
    return tuple(fields)


def make_field(
    name: str,
    pixels: npt.NDArray[Any],
    labels: Labels,
    distance: DistanceMap | None = None,
) -> Field:
    """Prepare one labelled image.

    Parameters
    ----------
    name : str
        For reports.
    pixels : (height, width), or with 3 or 4 colours, integers or floats
    labels : (height, width) int32
    distance : (height, width) float32, optional
        The target, where it is not the distance map of the labels.
    """
    areas_px = np.bincount(labels.ravel())[1:]
    typical_px2 = np.median(areas_px[areas_px > 0]) if areas_px.any() else NAN
    return Field(
        name=name,
        image=standardise(grey(pixels)),
        distance=distance_map(labels) if distance is None else distance,
        labels=labels,
        typical_diameter_px=float(2 * np.sqrt(typical_px2 / np.pi)),
    )
