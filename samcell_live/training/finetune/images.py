"""Labelled images as fine-tuning wants them, from wherever they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from samcell_live.records import DistanceMap, Labels
from samcell_live.segmentation.preprocess import GreyImage, grey, scale_to_unit
from samcell_live.training.data.formats import open_data
from samcell_live.training.data.prepared import Preparation, PreparedData, PreparedImage
from samcell_live.training.data.preparing import prepare

HOLD_BACK_EVERY = 5
"""Without images to validate on, one in this many is held back."""

TRAIN, VALIDATE = "train", "val"
"""Parts that data may come in. A part of another name beside them is left for a test."""

Place: TypeAlias = tuple[PreparedData, PreparedImage]
"""Where one image is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingImage:
    """One labelled image, ready to be cropped; arrays of one (height, width)."""

    name: str
    image: GreyImage
    """0 to 1, as the segmenter scales a whole image."""
    labels: Labels
    distance: DistanceMap
    """The target; NaN where the truth says nothing."""


class TrainingImages:
    """Images that are read when they are asked for, so that any number of them will do.

    Parameters
    ----------
    places : sequence of (PreparedData, PreparedImage)
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = tuple(places)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> TrainingImage:
        data, row = self._places[number]
        without_padding = slice(row.height_px), slice(row.width_px)
        stored = data.read(row, without_padding)
        return TrainingImage(
            row.name,
            scale_to_unit(grey(stored.pixels)),
            stored.labels,
            np.where(stored.ignored, np.float32(np.nan), stored.distance),
        )

    def __iter__(self) -> Iterator[TrainingImage]:
        return (self[number] for number in range(len(self)))

    @property
    def n_cells(self) -> int:
        """Cells of all images together."""
        return sum(row.n_cells for _, row in self._places)

    @property
    def cell_diameter_px(self) -> float:
        """Median over all cells of the diameter of a circle with their area."""
        areas_px = np.concatenate([_areas_px(image.labels) for image in self])
        return float(2 * np.sqrt(np.median(areas_px) / np.pi))


class ImageSplit(NamedTuple):
    """What is learnt from, and what is validated on."""

    training: TrainingImages
    validation: TrainingImages


def split_images(
    images: Sequence[Path],
    validation: Sequence[Path],
    folder: Path,
    *,
    fit_px: int | None = None,
    on_image: Callable[[int], None] = lambda n_done: None,
) -> ImageSplit:
    """Prepare labelled images once, and see that there are some to validate on.

    Data that come in parts are learnt from by their ``train`` part and validated on by
    their ``val`` part. Of other data every fifth image is held back, unless there is data
    to validate on.

    Parameters
    ----------
    images, validation : sequence of Path
        Places that `open_data` reads.
    folder : Path
        Where prepared images are kept.
    fit_px : int, optional
        Resize each image to fit a square of this side.
    on_image : callable
        Told how many images of a folder are prepared, unless all were before.

    Raises
    ------
    ValueError
        If something cannot be read, or there is no cell to learn from or to validate on.
    """
    preparation = Preparation(fit_px=fit_px)

    def prepared(path: Path) -> PreparedData:
        return prepare(open_data(path), folder, preparation, on_image=on_image)

    learnt: list[Place] = []
    held_back: list[Place] = []
    for data in map(prepared, images):
        own = _part(data, TRAIN)
        if not validation:
            validates = [(data, row) for row in data.of_split(VALIDATE)]
            held_back += validates or own[::HOLD_BACK_EVERY]
            own = own if validates else _without(own, HOLD_BACK_EVERY)
        learnt += own
    for data in map(prepared, validation):
        held_back += _part(data, VALIDATE)
    split = ImageSplit(TrainingImages(learnt), TrainingImages(held_back))
    _see_cells(split, images)
    return split


def _part(data: PreparedData, name: str) -> list[Place]:
    """One part of data, or all where they come in no such parts."""
    return [(data, row) for row in data.of_split(name) or data.images]


def _without(places: list[Place], every: int) -> list[Place]:
    return [place for number, place in enumerate(places) if number % every]


def _see_cells(split: ImageSplit, images: Sequence[Path]) -> None:
    for purpose, part in zip(("learn from", "validate on"), split, strict=True):
        if part.n_cells == 0:
            raise ValueError(
                f"{', '.join(map(str, images))}: no cell to {purpose} in {len(part)} "
                "images. Give at least two images with labelled cells, of which one is "
                "held back to validate on."
            )


def _areas_px(labels: Labels) -> npt.NDArray[np.int64]:
    counts = np.unique(labels[labels > 0], return_counts=True)[1]
    return np.asarray(counts, dtype=np.int64)
