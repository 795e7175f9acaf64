"""Frames of our own runs whose labels somebody corrected."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from pathlib import Path

from samcell_live.records import FrameKey
from samcell_live.store import layout
from samcell_live.store.reader import RunReader
from samcell_live.store.results import ANALYSED
from samcell_live.training.data.image_files import file_version
from samcell_live.training.data.labelled import ALL, DataSet, LabelledImage, Truth

CORRECTED = "corrected"


def read_run(path: Path, labels: str = CORRECTED) -> DataSet:
    """Find the frames of a run store that have labels of one name.

    Parameters
    ----------
    path : Path
        A run store.
    labels : str
        Name of the label images: of an analysis, all of whose results are taken, or of
        ones that another program, such as napari, wrote beside the analyses. Of those,
        frames without any cell are taken for frames that nobody has looked at.

    Raises
    ------
    ValueError
        If this is no run store, has no labels of that name, or no frame with some.
    """
    reader = RunReader(path)
    names = _names_of_labels(reader)
    if labels not in names:
        raise ValueError(
            f"{path} has no labels {labels!r}, but {', '.join(names) or 'none'}. Correct "
            f"some and save them as {CORRECTED!r}, or name those that are to be the truth."
        )
    versions = {
        view.path: _version(reader, view.path, labels) for view in reader.plan.views
    }
    images = tuple(
        LabelledImage(
            name=f"{reader.plan.view(key).name}, t {key.t}",
            split=ALL,
            version=versions[reader.plan.view(key).path],
            read_pixels=partial(reader.picture, key, labels),
            read_truth=partial(_read_truth, reader, key, labels),
        )
        for key in _keys(reader, labels)
    )
    if not images:
        raise ValueError(f"{path} has labels {labels!r}, but no frame with any yet.")
    return DataSet(path, "run store", images)


def _names_of_labels(reader: RunReader) -> list[str]:
    """Names that every view of a run has label images of."""
    folders = [
        (reader.path / layout.label_group(view.path, "x")).parent
        for view in reader.plan.views
    ]
    found = [{path.parent.name for path in it.glob("*/zarr.json")} for it in folders]
    return sorted(set.intersection(*found))


def _keys(reader: RunReader, labels: str) -> list[FrameKey]:
    """Frames that are on disk and have labels."""
    plan, acquired = reader.plan, reader.acquired()
    keys = [
        key
        for key in plan.shape.all_keys()
        if plan.is_segmented(key) and acquired[plan.shape.slot(key)]
    ]
    if labels in reader.analyses():
        committed = reader.committed(labels)
        return [key for key in keys if committed[plan.shape.slot(key)] == ANALYSED]
    return [key for key in keys if reader.labels(key, labels).any()]


def _version(reader: RunReader, view: str, labels: str) -> str:
    """Text that is another once any label of a view is: they are changed in place."""
    folder = reader.path / layout.labels(view, labels)
    chunks = sorted(file for file in folder.rglob("*") if file.is_file())
    changes = sha256(file_version(*chunks).encode()).hexdigest()
    return f"{reader.plan.uid} {changes}"


def _read_truth(reader: RunReader, key: FrameKey, labels: str) -> Truth:
    return Truth.complete(reader.labels(key, labels))
