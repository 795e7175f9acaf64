"""Is a run store whole? Every statement is read back from disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaozarrs

from samcell_live.records import FrameKey
from samcell_live.store import layout
from samcell_live.store.arrays import open_array
from samcell_live.store.processes import ACQUISITION
from samcell_live.store.reader import RunReader
from samcell_live.store.results import ANALYSED


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a store."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def check_store(
    path: Path, on_frame: Callable[[FrameKey], None] = lambda key: None
) -> list[Finding]:
    """Read a whole run and say what is wrong with it.

    It checks the OME-Zarr metadata with an independent reader, that every acquired frame
    and every committed result can be read, that results belong to acquired frames, and
    that label image, cell table and growth series agree.

    Parameters
    ----------
    path : Path
        The run store.
    on_frame : callable
        Told of each frame before it is read.

    Returns
    -------
    list of Finding
        Empty for a store that is whole.

    Raises
    ------
    ValueError
        If there is no run store at `path`.
    """
    reader = RunReader(path)
    findings = [*_metadata(path)]
    try:
        findings += _frames(reader, on_frame)
        for analysis in reader.analyses():
            findings += _lengths(reader, analysis)
            findings += _analysis(reader, analysis, on_frame)
    except (OSError, ValueError) as error:
        findings.append(Finding("the store", f"a part of it cannot be read: {error}"))
    return findings


def _frames(reader: RunReader, on_frame: Callable[[FrameKey], None]) -> Iterator[Finding]:
    acquired = reader.acquired()
    for slot in np.flatnonzero(acquired & ~reader.removed()[: len(acquired)]):
        key = reader.plan.shape.key(int(slot))
        on_frame(key)
        try:
            reader.frame(key)
        except (OSError, ValueError) as error:
            yield Finding(str(key), f"the raw frame cannot be read: {error}")


def _metadata(path: Path) -> Iterator[Finding]:
    try:
        yaozarrs.validate_zarr_store(str(path))
    except Exception as error:  # noqa: BLE001 - whatever the other reader stumbles over is the finding
        yield Finding("OME-Zarr metadata", str(error))


def _lengths(reader: RunReader, analysis: str) -> Iterator[Finding]:
    """Neither public validator notices labels with fewer timepoints than the image."""
    for view in reader.plan.views:
        raw = open_array(reader.path / layout.raw(view.path))
        labels = open_array(reader.path / layout.labels(view.path, analysis))
        times = labels.shape[0] if _is_growing(reader) else raw.shape[0]
        if (labels.shape[0], *labels.shape[-2:]) != (times, *raw.shape[-2:]):
            yield Finding(
                view.name, f"labels {labels.shape} do not go with the image {raw.shape}"
            )


def _is_growing(reader: RunReader) -> bool:
    """Whether images and labels may have different lengths, each as far as it has come."""
    acquisition = reader.process(ACQUISITION)
    is_acquired = acquisition is not None and acquisition.is_alive(time.time())
    return reader.plan.is_open and is_acquired


def _analysis(
    reader: RunReader, analysis: str, on_frame: Callable[[FrameKey], None]
) -> Iterator[Finding]:
    committed = reader.committed(analysis)
    acquired = reader.acquired()[: len(committed)]
    for slot in np.flatnonzero((committed[: len(acquired)] > 0) & ~acquired):
        yield Finding(
            str(reader.plan.shape.key(int(slot))), f"{analysis} has a result, but no frame"
        )
    counts = reader.series(analysis)["cell_count"]
    for slot in np.flatnonzero(committed == ANALYSED):
        if np.isfinite(counts[slot]):
            key = reader.plan.shape.key(int(slot))
            on_frame(key)
            yield from _result(reader, analysis, key, float(counts[slot]))


def _result(
    reader: RunReader, analysis: str, key: FrameKey, count: float
) -> Iterator[Finding]:
    where = f"{key}, {analysis}"
    try:
        labels = reader.labels(key, analysis)
        cells = reader.cells(key, analysis)
    except (OSError, ValueError) as error:
        yield Finding(where, f"the result cannot be read: {error}")
        return
    areas = np.bincount(labels.ravel())[1:]
    if len(areas) != count or not areas.all():
        yield Finding(
            where,
            f"the series counts {count:.0f} cells, "
            f"the label image {np.count_nonzero(areas)}",
        )
    elif not np.array_equal(areas, cells["area_px"].to_numpy()):
        yield Finding(where, "the cell table's areas are not those of the label image")
