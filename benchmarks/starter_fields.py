"""The labelled images of `starter_scores.py`: those to score, those to tune a baseline on.

Nothing here that is scored is trained on with the settings `starter.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from samcell_live.simulation.culture import Culture
from samcell_live.simulation.rendering import render_field, true_labels
from samcell_live.training.fields import Field, make_field, read_fields

Read: TypeAlias = Callable[[], tuple[Field, ...]]

HELD_BACK_EVERY = 5
"""`hold_back_every` of the settings."""
SIMULATED = "simulated"
SEEDS, HOURS = (1, 2, 3), range(0, 73, 6)
TUNING_SEEDS, TUNING_HOURS = (11, 12), range(0, 73, 24)
WELLS_UM = (0.0, 9000.0)
SHAPE_PX, PIXEL_SIZE_UM = (512, 512), 0.87


@dataclass(frozen=True, slots=True)
class DataSet:
    """Fields of one kind, read when they are asked for."""

    name: str
    scored: Read
    tuning: Read
    """Other fields like these; of `c2c12`, which has none, the same."""


def data_sets(data: Path) -> tuple[DataSet, ...]:
    """Name the data sets of a folder that has `usiigaci`, `bbbc039` and so on."""
    cells = data / "usiigaci"
    muscle = partial(read_muscle, data / "c2c12" / "data_small.npz")
    return (
        DataSet(
            "usiigaci/val",
            partial(read_fields, cells / "val"),
            partial(read_fields, cells / "train"),
        ),
        *(_partly_held_back(data / name) for name in ("bbbc039", "dsb2018")),
        DataSet(
            SIMULATED,
            partial(render_fields, SEEDS, HOURS),
            partial(render_fields, TUNING_SEEDS, TUNING_HOURS),
        ),
        DataSet("c2c12", muscle, muscle),
    )


def _partly_held_back(folder: Path) -> DataSet:
    some = partial(read_fields, folder, every=HELD_BACK_EVERY)
    return DataSet(folder.name, partial(some, held_back=True), some)


def read_muscle(path: Path) -> tuple[Field, ...]:
    """Read the frames of `c2c12`."""
    with np.load(path) as arrays:
        frames = zip(arrays["images"], arrays["labels"].astype(np.int32), strict=True)
        return tuple(make_field(f"{n}", *frame) for n, frame in enumerate(frames))


def render_fields(seeds: Iterable[int], hours: Iterable[int]) -> tuple[Field, ...]:
    """Photograph simulated cultures, hour by hour; the hour is the name's first word."""
    cultures = [Culture(seed=seed) for seed in seeds]
    fields = []
    for hour, culture, x_um in product(hours, cultures, WELLS_UM):
        pixels = render_field(
            culture, x_um, 0, 0, hour, shape_px=SHAPE_PX, pixel_size_um=PIXEL_SIZE_UM
        )
        labels = true_labels(
            culture, x_um, 0, hour, shape_px=SHAPE_PX, pixel_size_um=PIXEL_SIZE_UM
        )
        name = f"{hour} h, culture {culture.seed}, well at {x_um:.0f} um"
        fields.append(make_field(name, pixels, labels))
    return tuple(fields)


def zoomed(field: Field, zoom: float) -> Field:
    """Resize a field; its labels by the nearest pixel."""
    height, width = (max(1, round(side_px * zoom)) for side_px in field.labels.shape)
    smooth = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(field.image, (width, height), interpolation=smooth)
    labels = cv2.resize(field.labels, (width, height), interpolation=cv2.INTER_NEAREST)
    return make_field(field.name, np.asarray(pixels), np.asarray(labels, dtype=np.int32))
