"""Labelled fields of view to train on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

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
    """Read every image that has a mask beside it, by name; see `read_pairs`.

    Raises
    ------
    ValueError
        If there is no such pair, a file is no image, or a mask does not fit its image.
    """
    fields = []
    for image in read_pairs(folder).images:
        pixels, truth = read_pair(image)
        fields.append(make_field(image.name, pixels, truth.labels))
    return tuple(fields)


def make_field(name: str, pixels: npt.NDArray[Any], labels: Labels) -> Field:
    """Prepare one labelled image.

    Parameters
    ----------
    name : str
        For reports.
    pixels : (height, width), or with 3 or 4 colours, integers or floats
    labels : (height, width) int32
    """
    return Field(name, standardise(grey(pixels)), distance_map(labels), labels)
