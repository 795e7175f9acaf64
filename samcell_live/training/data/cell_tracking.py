"""Folders of the Cell Tracking Challenge, two-dimensional."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from samcell_live.training.data.image_files import file_version, read_labels, read_pixels
from samcell_live.training.data.labelled import DataSet, LabelledImage, Truth

GOLD, SILVER = "GT", "ST"
"""Drawn by experts, often not every cell; made by several programs, every cell."""


def read_cell_tracking(folder: Path) -> DataSet:
    """Find the frames of each sequence that have a segmentation.

    Frames ``01/t000.tif`` go with ``01_ST/SEG/man_seg000.tif`` where the sequence has
    silver truth, else with ``01_GT/SEG/man_seg000.tif``. Sequences are the parts: frames
    of one are too alike to be on both sides of a split.

    Gold truth may leave cells out. Where the markers in ``01_GT/TRA`` show cells that
    have no outline, gold truth says nothing outside the cells that have one, and silver
    truth nothing where those markers are.

    Raises
    ------
    ValueError
        If there is no such folder, or it is three-dimensional.
    """
    images = [image for name in sequences(folder) for image in _frames(folder, name)]
    if not images:
        raise ValueError(
            f"{folder} has no 01_GT/SEG/man_seg000.tif or 01_ST/SEG/man_seg000.tif. Give "
            "the folder of one data set of the Cell Tracking Challenge, which holds 01 "
            "and 01_GT."
        )
    return DataSet(folder, "Cell Tracking Challenge", tuple(images))


def sequences(folder: Path) -> tuple[str, ...]:
    """Names of the sequences with segmentations, such as 01 and 02."""
    found = {
        path.parent.name[:-3]
        for kind in (SILVER, GOLD)
        for path in folder.glob(f"*_{kind}/SEG")
        if path.parent.name[:-3].isdecimal()
    }
    return tuple(sorted(found))


def _frames(folder: Path, sequence: str) -> list[LabelledImage]:
    silver = sorted((folder / f"{sequence}_{SILVER}" / "SEG").glob("man_seg*.tif"))
    gold = sorted((folder / f"{sequence}_{GOLD}" / "SEG").glob("man_seg*.tif"))
    return [
        _frame(folder, sequence, SILVER if silver else GOLD, mask)
        for mask in silver or gold
    ]


def _frame(folder: Path, sequence: str, kind: str, mask: Path) -> LabelledImage:
    number = re.fullmatch(r"man_seg(\d+)", mask.stem)
    if number is None:
        raise ValueError(
            f"{mask} is a slice of a volume; only two-dimensional sequences are read, "
            "whose masks are named man_seg000.tif."
        )
    frame = number[1]
    image = folder / sequence / f"t{frame}.tif"
    markers = folder / f"{sequence}_{GOLD}" / "TRA" / f"man_track{frame}.tif"
    return LabelledImage(
        name=f"{sequence}/t{frame}",
        split=sequence,
        version=file_version(image, mask, markers),
        read_pixels=partial(read_pixels, image),
        read_truth=partial(_read_truth, mask, markers, kind),
    )


def _read_truth(mask: Path, markers: Path, kind: str) -> Truth:
    truth = read_labels(mask)
    if not markers.is_file():
        return truth
    tracked = read_labels(markers).labels
    if tracked.shape != truth.labels.shape:
        raise ValueError(
            f"{markers} has shape {tracked.shape}, but {mask} {truth.labels.shape}. "
            "Both belong to the same frame."
        )
    outlined = np.unique(tracked[truth.labels > 0])
    unmarked = np.setdiff1d(np.unique(tracked[tracked > 0]), outlined)
    if unmarked.size == 0:
        return truth
    unknown = truth.labels == 0
    if kind == SILVER:
        unknown &= np.isin(tracked, unmarked)
    return Truth(
        truth.labels,
        unknown,
        n_unmarked=unmarked.size,
        highest_possible=truth.highest_possible,
    )
