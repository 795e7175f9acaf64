"""Writing results: one worker's side of the store.

The order is the protocol: cells, label image and series columns, wait; ``committed``,
wait. Whoever looks at ``committed`` first never sees a torn result.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from samcell_live.records import CellRow, FrameKey, Labels, Making, SeriesRow
from samcell_live.store import layout, metadata
from samcell_live.store.arrays import (
    create_array,
    open_array,
    read,
    read_attributes,
    resized,
    wait,
    write_group,
)
from samcell_live.store.create import add_column, create_columns
from samcell_live.store.plan import GROWTH_T, RunPlan
from samcell_live.together import Together

WAITING, ANALYSED, FAILED = 0, 1, 2
"""Values of the ``committed`` column."""

FAILURE_BYTES = 240
"""Room for the reason of one failure, UTF-8."""

LATER_COLUMNS = ("plane", "n_planes")
"""Columns of the growth series that an analysis of an earlier version lacks."""

_CELL_CHUNK = 1024


class ResultsWriter:
    """Writes the results of one analysis; the only writer of its arrays.

    Safe to call from several threads: rows that come while others are written wait and
    are then written together, as a column is rewritten for one row or for many.

    Of a run of unknown length they grow when a result comes of beyond their end,
    ``committed`` last.
    """

    def __init__(self, path: Path, plan: RunPlan, name: str) -> None:
        self.plan = plan
        self.name = name
        series = path / layout.series(name)
        self._columns = {
            column: open_array(series / column) for column in SeriesRow._fields
        }
        self._committed = open_array(series / "committed")
        self._failures = open_array(path / layout.analysis(name) / "failures")
        self._cells = open_array(path / layout.cells(name))
        self._labels = {
            view.path: open_array(path / layout.labels(view.path, name))
            for view in plan.views
        }
        self._write_row = Together(self._write_rows)
        self._write_outcome = Together(self._write_outcomes)
        self._one_grows = threading.Lock()
        if plan.is_open:
            self.plan = plan.lasting(self._committed.shape[0] // plan.slots_per_timepoint)

    def committed(self) -> npt.NDArray[np.uint8]:
        """(n_slots,) `WAITING`, `ANALYSED` or `FAILED`."""
        return read(self._committed)

    def commit(
        self,
        key: FrameKey,
        row: SeriesRow,
        *,
        labels: Labels | None = None,
        cells: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """Write the result of one frame and wait until it is safe.

        Parameters
        ----------
        key : FrameKey
            The frame.
        row : SeriesRow
            Its line of the growth series.
        labels : (height, width) int32, optional
            Its cells; None for a frame in which none were looked for.
        cells : (n_cells, n_columns) float32, optional
            Its cell table in the columns of `CellRow`; row 0 is label 1. Without labels
            of its own a frame has those of the segmented channel.

        Raises
        ------
        ValueError
            If the labels do not fit the store, or labels and table disagree.
        OSError
            If it cannot be written; the frame is then not committed.
        """
        slot = self._slot(key)
        writes = []
        if cells is not None:
            writes.append(self._cells[slot, 1 : len(cells) + 1].write(cells))
        if labels is not None:
            n_cells = 0 if cells is None else len(cells)
            writes.append(self._write_labels(key, labels, n_cells))
        self._commit_row(slot, row, ANALYSED, *writes)

    def fail(self, key: FrameKey, reason: str) -> None:
        """Record, for good, that a frame has no result, and why."""
        slot = self._slot(key)
        text = reason.encode("utf-8")[:FAILURE_BYTES]
        line = np.zeros(FAILURE_BYTES, dtype=np.uint8)
        line[: len(text)] = np.frombuffer(text, dtype=np.uint8)
        self._commit_row(slot, SeriesRow(), FAILED, self._failures[slot].write(line))

    def last(self, n_timepoints: int) -> None:
        """Make every array of a run of unknown length as long as its images are."""
        plan = self.plan.lasting(n_timepoints)
        n_slots = plan.shape.n_slots
        for view, labels in self._labels.items():
            self._labels[view] = resized(labels, n_timepoints)
        for name, column in self._columns.items():
            self._columns[name] = resized(column, n_slots)
        self._failures = resized(self._failures, n_slots)
        self._cells = resized(self._cells, n_slots)
        self._committed = resized(self._committed, n_slots)
        self.plan = plan

    def _slot(self, key: FrameKey) -> int:
        if self.plan.is_open:
            with self._one_grows:
                if key.t >= self.plan.shape.t:
                    self.last((key.t // GROWTH_T + 1) * GROWTH_T)
        return self.plan.shape.slot(key)

    def _write_labels(self, key: FrameKey, labels: Labels, n_cells: int) -> Any:
        stored = self._labels[self.plan.view(key).path]
        top, most = int(labels.max(initial=0)), np.iinfo(stored.dtype.numpy_dtype).max
        if top != n_cells or top > most:
            raise ValueError(
                f"{key} has labels up to {top} and {n_cells} measured cells; the store "
                f"takes compact labels up to {most}, with one row each."
            )
        plane = labels.astype(stored.dtype.numpy_dtype)
        return stored[self.plan.label_index(key)].write(plane)

    def _commit_row(self, slot: int, row: SeriesRow, outcome: int, *before: Any) -> None:
        """Write a row, and commit it when what was begun before it is safe, too."""
        self._write_row((slot, row))
        wait(*before)
        self._write_outcome((slot, outcome))

    def _write_rows(self, rows: Sequence[tuple[int, SeriesRow]]) -> list[None]:
        slots = [slot for slot, _ in rows]
        columns = np.array([row for _, row in rows], dtype=np.float32).T
        named = zip(SeriesRow._fields, columns, strict=True)
        wait(*[self._columns[name][slots].write(values) for name, values in named])
        return [None] * len(rows)

    def _write_outcomes(self, outcomes: Sequence[tuple[int, int]]) -> list[None]:
        slots, values = zip(*outcomes, strict=True)
        wait(self._committed[list(slots)].write(np.array(values, dtype=np.uint8)))
        return [None] * len(outcomes)


def open_analysis(path: Path, plan: RunPlan, name: str, making: Making) -> ResultsWriter:
    """Go on with the analysis `name`, or begin it.

    Raises
    ------
    ValueError
        If it was begun with another model or other settings: its numbers would not
        be comparable.
    """
    group = path / layout.analysis(name)
    made = plain(making)
    if (group / "zarr.json").is_file():
        _refuse_other_making(path, name, read_attributes(group)["making"], made)
        n_slots = open_array(path / layout.series_column(name, "committed")).shape[0]
        for column in LATER_COLUMNS:
            add_column(
                path / layout.series_column(name, column), n_slots, "float32", np.nan
            )
    else:
        _create_analysis(path, plan, name, made)
    return ResultsWriter(path, plan, name)


def plain(making: Making) -> dict[str, Any]:
    """Values of a making as they stand in the store."""
    return {**asdict(making), "settings": dict(making.settings)}


def _refuse_other_making(
    path: Path, name: str, before: dict[str, Any], now: dict[str, Any]
) -> None:
    # A setting that came with a later version was off before.
    off = {name: value for name, value in now["settings"].items() if not value}
    before = {**before, "settings": {**off, **before.get("settings", {})}}
    decisive = ("weights_sha256", "network", "settings")
    changed = [what for what in decisive if before.get(what) != now[what]]
    if changed:
        what = changed[0]
        raise ValueError(
            f"The analysis {name!r} of {path} was begun with {what} = "
            f"{before.get(what)!r}, and now it is {now[what]!r}. "
            "Give the new analysis a name of its own (--name)."
        )


def _create_analysis(path: Path, plan: RunPlan, name: str, making: dict[str, Any]) -> None:
    n_slots = plan.shape.n_slots
    for view in plan.views:
        _create_labels(path, plan, view.path, name)
    group = path / layout.analysis(name)
    write_group(path / layout.series(name))
    create_columns(
        path / layout.series(name),
        n_slots,
        dict.fromkeys(SeriesRow._fields, ("float32", np.nan)) | {"committed": ("uint8", 0)},
    )
    create_array(
        group / "failures",
        shape=(n_slots, FAILURE_BYTES),
        chunks=(min(64, n_slots), FAILURE_BYTES),
        dtype="uint8",
        dimension_names=["frame", "byte"],
        codec="table",
    )
    most_labels = int(np.iinfo(metadata.label_dtype(plan)).max)
    create_array(
        path / layout.cells(name),
        shape=(n_slots, min(most_labels, 2**20) + 1, len(CellRow._fields)),
        chunks=(1, _CELL_CHUNK, len(CellRow._fields)),
        dtype="float32",
        dimension_names=["frame", "label", "column"],
        codec="table",
        fill_value=np.nan,
    )
    # Last, so that an analysis that can be seen is complete.
    write_group(group, {"making": making, "cell_columns": list(CellRow._fields)})


def _create_labels(path: Path, plan: RunPlan, view: str, name: str) -> None:
    target = path / layout.labels(view, name)
    if not (target / "zarr.json").is_file():
        plane = (plan.height_px, plan.width_px)
        stack = (plan.shape.t, 1, *([1] if plan.has_z else []))
        create_array(
            target,
            shape=(*stack, *plane),
            chunks=(*[1] * len(stack), *plane),
            dtype=metadata.label_dtype(plan),
            dimension_names=metadata.axis_names(plan),
            codec="labels",
        )
    write_group(
        path / layout.label_group(view, name), metadata.label_attributes(plan, name)
    )
    listing = path / layout.label_group(view, name).parent
    known = (
        read_attributes(listing)["ome"]["labels"]
        if (listing / "zarr.json").is_file()
        else []
    )
    write_group(listing, metadata.labels_attributes(list(dict.fromkeys([*known, name]))))
