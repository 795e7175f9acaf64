"""Where label images come from: folders, run stores, the Cell Tracking Challenge."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy.typing as npt

from samcell_live.records import FrameKey
from samcell_live.store import layout
from samcell_live.store.plan import RunPlan
from samcell_live.store.reader import RunReader
from samcell_live.store.results import ANALYSED
from samcell_live.training.evaluation.label_files import (
    Role,
    find_labels,
    find_pictures,
    read_labels,
    read_plane,
)
from samcell_live.training.metrics import LabelImage

logger = logging.getLogger(__name__)

Reads: TypeAlias = Mapping[str, Callable[[], LabelImage]]
"""What reads the label image of each image, by its name."""

Pictures: TypeAlias = Mapping[str, Callable[[], npt.NDArray[Any]]]
"""What reads the image of cells of each name."""

SEG, TRA = "SEG", "TRA"


@dataclass(frozen=True, slots=True)
class Predictions:
    """Label images to be judged."""

    title: str
    labels: Reads
    files: tuple[Path, ...] = ()
    """Where they lie, to see that they are not the truth itself."""
    pictures: Pictures = field(default_factory=dict)
    """Those that lie beside."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Label images to judge by."""

    title: str
    outlines: Reads
    markers: Reads = field(default_factory=dict)
    """Of the challenge: one blot for each cell."""
    outlines_all: bool = True
    """Whether every cell has an outline. The challenge's gold truth has some only."""
    files: tuple[Path, ...] = ()
    pictures: Pictures = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Images that there is truth for."""
        return list(dict.fromkeys([*self.outlines, *self.markers]))


def open_predictions(path: Path, analysis: str | None = None) -> Predictions:
    """Find the label images of a folder, or those of an analysis of a run store.

    Parameters
    ----------
    path : Path
    analysis : str, optional
        Of a store; unset, the only one it has.

    Raises
    ------
    ValueError
        If there are no label images, the store has no such analysis, or several and none
        is named.
    """
    if _is_store(path):
        store = _open_store(path, analysis)
        return Predictions(store.title, store.outlines, store.files, store.pictures)
    files = _labels_of(path, "predictions")
    used = tuple(files.values())
    return Predictions(str(path), label_readers(files), used, pictures_beside(path, used))


def open_truth(path: Path, analysis: str | None = None) -> Truth:
    """Find the truth in a folder, one of the Cell Tracking Challenge, or a run store.

    A folder with ``SEG`` or ``TRA`` in it is the challenge's. ``SEG`` itself, where its
    masks outline every cell, can be given as a plain folder.

    Parameters
    ----------
    path : Path
    analysis : str, optional
        Of a store; unset, the only one it has.

    Raises
    ------
    ValueError
        As `open_predictions` does.
    """
    if _is_store(path):
        return _open_store(path, analysis)
    if (path / SEG).is_dir() or (path / TRA).is_dir():
        return _open_challenge(path)
    files = _labels_of(path, "truth")
    used = tuple(files.values())
    pictures = pictures_beside(path, used)
    return Truth(str(path), label_readers(files), files=used, pictures=pictures)


def label_readers(files: Mapping[str, Path]) -> Reads:
    """Read label images when they are asked for, by the names of their images."""
    return {name: partial(read_labels, path) for name, path in files.items()}


def pictures_beside(folder: Path, labels: Collection[Path]) -> Pictures:
    """Find the images of cells beside label images; none where names are ambiguous.

    For the challenge's ``01_RES`` and ``01_GT`` they lie in ``01``.
    """
    sequence = folder.with_name(folder.name.split("_")[0])
    is_challenge = folder.name.endswith(("_RES", "_GT", "_ST")) and sequence.is_dir()
    try:
        return read_pictures(sequence if is_challenge else folder, labels)
    except ValueError as error:  # they only make the page easier to read
        logger.warning("No images are shown: %s", error)
        return {}


def read_pictures(folder: Path, labels: Collection[Path] = ()) -> Pictures:
    """Find the images of cells in a folder, by name.

    Raises
    ------
    ValueError
        If two have the same name.
    """
    files = find_pictures(folder)
    return {
        name: partial(read_plane, path)
        for name, path in files.items()
        if path not in labels
    }


def _labels_of(path: Path, role: Role) -> dict[str, Path]:
    if not path.is_dir():
        raise ValueError(
            f"{path} is no folder. Give a folder of label images, or a run store."
        )
    return find_labels(path, role)


def _open_challenge(path: Path) -> Truth:
    found = {
        folder: find_labels(path / folder, "truth") if (path / folder).is_dir() else {}
        for folder in (SEG, TRA)
    }
    used = (*found[SEG].values(), *found[TRA].values())
    return Truth(
        title=str(path),
        outlines=label_readers(found[SEG]),
        markers=label_readers(found[TRA]),
        outlines_all=False,
        files=used,
        pictures=pictures_beside(path, used),
    )


def _is_store(path: Path) -> bool:
    return (path / layout.SAMCELL / "zarr.json").is_file()


def _open_store(path: Path, analysis: str | None) -> Truth:
    """Label images of an analysis, for either side."""
    reader = RunReader(path)
    name = _analysis_of(reader, analysis)
    committed = reader.committed(name)
    keys = [
        key
        for key in reader.plan.shape.all_keys()
        if reader.plan.is_segmented(key)
        and committed[reader.plan.shape.slot(key)] == ANALYSED
    ]
    if not keys:
        raise ValueError(
            f"The analysis {name} of {path} has no frame with a result yet. Let "
            "samcell-live analyse work it off first."
        )
    return Truth(
        title=f"{path}, analysis {name}",
        files=(path / layout.analysis(name),),
        outlines={
            _frame_name(reader.plan, key): partial(reader.labels, key, name) for key in keys
        },
        pictures={
            _frame_name(reader.plan, key): partial(reader.picture, key, name)
            for key in keys
        },
    )


def _analysis_of(reader: RunReader, wanted: str | None) -> str:
    there = reader.analyses()
    if wanted is None and len(there) == 1:
        return there[0]
    if wanted not in there:
        asked = "none is named" if wanted is None else f"{wanted!r} is not one of them"
        raise ValueError(
            f"{reader.path} has the analyses {', '.join(there) or '(none)'}, and {asked}. "
            "Name one with --analysis (predictions) or --truth-analysis."
        )
    return str(wanted)


def _frame_name(plan: RunPlan, key: FrameKey) -> str:
    """Name a frame: its timepoint; where there are several positions, theirs before it.

    Written as `image_name` writes ``t003`` and ``A1_t003``.
    """
    if len(plan.views) == 1:
        return f"{key.t:03d}"
    return f"{plan.view(key).name}_t{key.t:03d}"
