"""The labelled images of `preset.py`, and the same images made harder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from samcell_live.records import Labels
from samcell_live.segmentation.preprocess import GreyImage, grey

FIRST_HELD_BACK = 40
"""BBBC039's fields from this number on are never trained on."""
N_HOT_PIXELS, HOT_RANGES = 20, 8
"""Hot pixels lie this many times the image's own range above its darkest pixel."""
WIDE_PX = 1024


class LabelledImage(NamedTuple):
    """One field of view and its true cells."""

    source: str
    name: str
    image: GreyImage
    labels: Labels


def read_training(data: Path) -> list[LabelledImage]:
    """Read the fields to train on and to tune thresholds on."""
    return [
        *_read_folder("usiigaci", data / "usiigaci" / "train"),
        *(field for field in _read_nuclei(data) if int(field.name) < FIRST_HELD_BACK),
        *_read_folder("dsb2018", data / "dsb2018"),
    ]


def read_scored(data: Path) -> list[LabelledImage]:
    """Read the fields to score: two kinds that were trained on, and one that was not."""
    return [
        *_read_folder("usiigaci", data / "usiigaci" / "val"),
        *(field for field in _read_nuclei(data) if int(field.name) >= FIRST_HELD_BACK),
        *_read_muscle(data / "c2c12" / "data_small.npz"),
    ]


def _read_nuclei(data: Path) -> list[LabelledImage]:
    return _read_folder("bbbc039", data / "bbbc039")


def _read_folder(source: str, folder: Path) -> list[LabelledImage]:
    """Read each ``NAME.png`` whose ``NAME_mask.png`` has cells."""
    fields = []
    for mask in sorted(folder.glob("*_mask.png")):
        name = mask.stem.removesuffix("_mask")
        pixels = cv2.imread(str(mask.with_name(f"{name}.png")), cv2.IMREAD_UNCHANGED)
        labels = np.asarray(cv2.imread(str(mask), cv2.IMREAD_UNCHANGED), dtype=np.int32)
        if labels.any():
            fields.append(LabelledImage(source, name, grey(np.asarray(pixels)), labels))
    if not fields:
        raise ValueError(f"{folder} has no NAME_mask.png with cells beside a NAME.png.")
    return fields


def _read_muscle(path: Path) -> list[LabelledImage]:
    with np.load(path) as arrays:
        images, truths = arrays["images"], arrays["labels"]
    return [
        LabelledImage("c2c12", str(frame), grey(image), labels.astype(np.int32))
        for frame, (image, labels) in enumerate(zip(images, truths, strict=True))
    ]


def with_hot_pixels(field: LabelledImage) -> LabelledImage:
    """Add hot pixels, as a camera has them that used an eighth of its range."""
    random = np.random.default_rng(int(field.name))
    image = field.image.copy()
    low, high = float(image.min()), float(image.max())
    hot = random.choice(image.size, N_HOT_PIXELS, replace=False)
    image.flat[hot] = low + (high - low) * HOT_RANGES
    return field._replace(image=image)


def with_one_cell(field: LabelledImage) -> LabelledImage:
    """Put the cell of median area on a wide background of the field's own pixels.

    The background is drawn from pixels at least 4 px away from every cell, so it has the
    right brightness and noise, but no texture.
    """
    random = np.random.default_rng(int(field.name))
    cells, areas = np.unique(field.labels[field.labels > 0], return_counts=True)
    cell = field.labels == cells[np.argsort(areas)[len(areas) // 2]]
    near_cells = cv2.dilate((field.labels > 0).astype(np.uint8), np.ones((9, 9)))
    image = random.choice(field.image[near_cells == 0], size=(WIDE_PX, WIDE_PX))
    labels = np.zeros(image.shape, dtype=np.int32)
    rows, columns = np.nonzero(cell)
    place = (rows - rows.min() + WIDE_PX // 2, columns - columns.min() + WIDE_PX // 2)
    image[place], labels[place] = field.image[rows, columns], 1
    return field._replace(image=image, labels=labels)
