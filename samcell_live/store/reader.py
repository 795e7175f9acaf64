"""Reading a run, while it is written or after. Never writes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from samcell_live.records import (
    CellRow,
    Frame,
    FrameCounts,
    FrameKey,
    FrameRow,
    Labels,
    Pixels,
    SeriesRow,
)
from samcell_live.store import layout
from samcell_live.store.arrays import (
    Array,
    as_long_as_now,
    open_array,
    read,
    read_attributes,
    read_together,
)
from samcell_live.store.create import NOT_EXPECTED
from samcell_live.store.frames import crc32
from samcell_live.store.pictures import project
from samcell_live.store.plan import RunPlan
from samcell_live.store.processes import ProcessState, read_process
from samcell_live.store.results import ANALYSED, FAILED, LATER_COLUMNS, WAITING
from samcell_live.store.stacks import Stacks

Kind = TypeVar("Kind", np.uint8, np.bool_)

_OUTCOMES = {WAITING: "waiting", ANALYSED: "analysed", FAILED: "failed"}


class RawNotKeptError(OSError):
    """A raw frame was removed on purpose, when its result was safe."""


class RunReader:
    """Reads one run store; each call sees the disk as it is now.

    Raises
    ------
    ValueError
        If there is no run store at `path`.
    """

    def __init__(self, path: Path) -> None:
        try:
            attributes = read_attributes(path / layout.SAMCELL)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{path} is not a run store of samcell_live: it has no "
                f"{layout.SAMCELL / 'zarr.json'}. Give the folder that a run was made in."
            ) from error
        if attributes.get("schema") != layout.SCHEMA_VERSION:
            raise ValueError(
                f"{path} has schema {attributes.get('schema')!r}, and this version reads "
                f"{layout.SCHEMA_VERSION!r}. Open it with the version that recorded it."
            )
        self.path = path
        self._plan = RunPlan.model_validate(attributes["plan"])
        self._open = cache(lambda array: open_array(path / array))
        self._open_raw = cache(
            lambda array: open_array(path / array, missing_is_fill=False)
        )

    @property
    def plan(self) -> RunPlan:
        """What the run is; one of unknown length lasts as long as it has grown by now."""
        if not self._plan.is_open:
            return self._plan
        return self._lasting(self._array(layout.frame_column("acquired")).shape[0])

    def analyses(self) -> list[str]:
        """Names of the analyses, in alphabetical order; none before the first began."""
        folder = self.path / layout.analysis("x").parent
        return sorted(child.parent.name for child in folder.glob("*/zarr.json"))

    def acquired(self) -> npt.NDArray[np.bool_]:
        """(n_slots,) which frames are on disk."""
        return self._column(layout.frame_column("acquired")).astype(bool)

    def last_acquired_ns(self) -> int:
        """When a frame was marked acquired last, by the disk's own clock; 0 if never."""
        chunks = self.path / layout.frame_column("acquired") / "c"
        return chunks.stat().st_mtime_ns if chunks.is_dir() else 0

    def rank(self) -> npt.NDArray[np.int32]:
        """(n_slots,) place of each frame in the acquisition, -1 where none is expected."""
        rank: npt.NDArray[np.int32] = self._column(layout.frame_column("rank"))
        return rank

    def stage_um(self) -> npt.NDArray[np.float64]:
        """(n_slots, 2) where the stage was, x and y; NaN where that is not known."""
        columns = [self._column(layout.frame_column(f"stage_{axis}_um")) for axis in "xy"]
        n_slots = min(map(len, columns))  # a run of unknown length may grow in between
        return np.column_stack([column[:n_slots] for column in columns])

    def committed(self, analysis: str) -> npt.NDArray[np.uint8]:
        """(n_slots,) 0 waiting, 1 analysed, 2 failed; all 0 before the analysis began."""
        path = layout.series_column(analysis, "committed")
        if not (self.path / path / "zarr.json").is_file():
            return np.zeros(self.plan.shape.n_slots, dtype=np.uint8)
        return self._column(path)

    def removed(self) -> npt.NDArray[np.bool_]:
        """(n_slots,) which raw frames were removed when they had been analysed."""
        path = layout.frame_column("removed")
        if not (self.path / path / "zarr.json").is_file():
            return np.zeros(self.plan.shape.n_slots, dtype=bool)
        return self._column(path).astype(bool)

    def frames(self) -> pd.DataFrame:
        """Every slot of the run: key, ``acquired``, ``expected``, ``rank``, and its row."""
        # The mark is read first: what it says is there is there. The other columns may
        # have grown since.
        acquired = self.acquired()
        n_slots = len(acquired)
        table: dict[str, Any] = {"acquired": acquired, "rank": self.rank()[:n_slots]}
        table["expected"] = table["rank"] != NOT_EXPECTED
        for name in (*FrameKey._fields, *FrameRow._fields):
            table[name] = self._column(layout.frame_column(name))[:n_slots]
        return pd.DataFrame(table).rename_axis("slot")

    def series(self, analysis: str) -> pd.DataFrame:
        """Committed rows only: key, times, ``status`` and the columns of `SeriesRow`."""
        committed = self.committed(analysis)
        slots = np.flatnonzero(committed)
        frames = self.frames().iloc[slots]
        table = frames[[*FrameKey._fields, "elapsed_s", "time_s"]].copy()
        table["status"] = [_OUTCOMES[int(outcome)] for outcome in committed[slots]]
        for name in SeriesRow._fields:
            path = layout.series_column(analysis, name)
            if name in LATER_COLUMNS and not (self.path / path / "zarr.json").is_file():
                table[name] = np.nan
            else:
                table[name] = self._column(path)[slots] if len(slots) else np.empty(0)
        return table

    def counts(self, analysis: str) -> FrameCounts:
        """Account of the run."""
        # Results before frames, so that a result never outnumbers its frame.
        committed = self.committed(analysis)
        acquired = self.acquired()
        is_expected = self.rank()[: len(acquired)] != NOT_EXPECTED
        expected = int(np.count_nonzero(is_expected | acquired))
        n_acquired = int(np.count_nonzero(acquired))
        analysed = int(np.count_nonzero(committed == ANALYSED))
        failed = int(np.count_nonzero(committed == FAILED))
        return FrameCounts(
            expected=expected,
            acquired=n_acquired,
            missing=expected - n_acquired,
            analysed=analysed,
            failed=failed,
            waiting=n_acquired - analysed - failed,
        )

    def waiting(self, analysis: str) -> npt.NDArray[np.int64]:
        """Slots that are on disk and have no committed result, in slot order."""
        committed = self.committed(analysis)
        acquired = self.acquired()
        return np.flatnonzero(acquired & (_as_long_as(acquired, committed) == WAITING))

    def stacks(self, analysis: str, *, may_come: bool) -> Stacks:
        """Lay out the run by stacks: what waits for what.

        Parameters
        ----------
        analysis : str
            Name of the analysis.
        may_come : bool
            Whether the acquisition goes on.
        """
        committed = self.committed(analysis)
        has_cells = np.zeros(len(committed), dtype=bool)
        if committed.any() and not self.plan.is_plain:
            path = layout.series_column(analysis, "cell_count")
            has_cells = np.isfinite(self._column(path)[: len(committed)])
        acquired = self.acquired()
        n_slots = len(acquired)
        return Stacks.now(
            self._lasting(n_slots),
            rank=self.rank()[:n_slots],
            acquired=acquired,
            done=_as_long_as(acquired, committed) != WAITING,
            # A row is written before it is committed; only then does it count.
            has_cells=_as_long_as(acquired, has_cells & (committed == ANALYSED)),
            may_come=may_come,
        )

    def frame(self, key: FrameKey) -> Frame:
        """Read one frame with its row, and check that it is what the camera gave.

        Raises
        ------
        ValueError
            If the frame is outside the run, not acquired, or changed on disk.
        OSError
            As for `pixels`.
        """
        slot = self.plan.shape.slot(key)
        if not self.acquired()[slot]:
            raise ValueError(f"{key} of {self.path} has not been acquired.")
        pixels, *values = read_together(
            self._plane(key),
            *[self._array(layout.frame_column(name))[slot] for name in FrameRow._fields],
        )
        wanted = self._mark("crc32", slot)
        if wanted and crc32(pixels) != wanted:
            raise ValueError(
                f"The pixels of {key} on disk are not those that the camera gave: their "
                f"checksum is {crc32(pixels):08x}, and it was {wanted:08x}. Check the disk."
            )
        row = FrameRow(*map(float, values))
        return Frame(key, pixels, self.plan.pixel_size_um or np.nan, row)

    def pixels(self, key: FrameKey) -> Pixels:
        """Raw frame, (height, width).

        Raises
        ------
        RawNotKeptError
            If it was removed when it had been analysed: another program keeps it.
        OSError
            If the frame is not on disk, or damaged there.
        """
        return read(self._plane(key))

    def _plane(self, key: FrameKey) -> Array:
        if self._mark("removed", self.plan.shape.slot(key)):
            raise RawNotKeptError(
                f"The raw {key} was not kept: it was removed from {self.path} when it had "
                "been analysed. The program that acquired it has it."
            )
        raw = self._now(self._open_raw(layout.raw(self.plan.view(key).path)))
        return raw[self.plan.raw_index(key)]

    def picture(self, key: FrameKey, analysis: str) -> Pixels:
        """What the cells of a frame were found or measured in, (height, width).

        The frame itself but where a whole stack is analysed: then its sharpest plane, or
        the projection of the planes that are there.

        Raises
        ------
        OSError
            As for `pixels`.
        """
        if self.plan.stack == "plane" or analysis not in self.analyses():
            return self.pixels(key)
        z = self.series_value("plane", key, analysis)
        if self.plan.stack == "sharpest":
            return self.pixels(key if np.isnan(z) else key._replace(z=int(z)))
        planes = self.stacks(analysis, may_come=False).planes(key)
        return project(map(self.pixels, planes), self.plan.stack)

    def labels(self, key: FrameKey, analysis: str) -> Labels:
        """(height, width) int32 cells of one frame; zeros where there is no result."""
        stored = self._array(layout.labels(self.plan.view(key).path, analysis))
        if key.t >= stored.shape[0]:  # a run of unknown length: the labels grow later
            return np.zeros((self.plan.height_px, self.plan.width_px), dtype=np.int32)
        return read(stored[self.plan.label_index(key)]).astype(np.int32)

    def cells(self, key: FrameKey, analysis: str) -> pd.DataFrame:
        """Cell table of one frame, one row per cell, indexed by label.

        In a frame of another channel or camera, its cells are those of the segmented one,
        measured there; other planes of a stack have none.
        """
        slot = self.plan.shape.slot(key)
        n_cells = self._cell_count(key, analysis)
        table = read(self._array(layout.cells(analysis))[slot, 1 : n_cells + 1])
        index = pd.RangeIndex(1, n_cells + 1, name="label")
        cells = pd.DataFrame(table, columns=list(CellRow._fields), index=index)
        return cells.dropna(how="all")

    def series_value(self, name: str, key: FrameKey, analysis: str) -> float:
        """One number of the growth series; NaN where there is no result."""
        slot = self.plan.shape.slot(key)
        return float(read(self._array(layout.series_column(analysis, name))[slot]))

    def failure(self, slot: int, analysis: str) -> str:
        """Why a frame has no result; empty if it has one."""
        line = read(self._array(layout.analysis(analysis) / "failures")[slot])
        return bytes(line).rstrip(b"\0").decode("utf-8", errors="ignore")

    def process(self, role: str) -> ProcessState | None:
        """What the process in this role said of itself last."""
        return read_process(self.path, role)

    def making(self, analysis: str) -> dict[str, Any]:
        """How the numbers of an analysis were made."""
        making: dict[str, Any] = read_attributes(self.path / layout.analysis(analysis))[
            "making"
        ]
        return making

    def _cell_count(self, key: FrameKey, analysis: str) -> int:
        """Cells that were found at the place and time of a frame."""
        plan = self.plan
        stack = key._replace(c=plan.segment_c, cam=plan.segment_cam)
        slots = [plan.shape.slot(stack._replace(z=z)) for z in range(plan.shape.z)]
        counts = read(self._array(layout.series_column(analysis, "cell_count"))[slots])
        return int(np.nan_to_num(counts).max())

    def _mark(self, name: str, slot: int) -> int:
        """Read what the acquisition noted of a frame; 0 in a run of an earlier version."""
        path = layout.frame_column(name)
        if not (self.path / path / "zarr.json").is_file():
            return 0
        return int(read(self._array(path)[slot]))

    def _lasting(self, n_slots: int) -> RunPlan:
        return self._plan.lasting(n_slots // self._plan.slots_per_timepoint)

    def _column(self, path: Any) -> npt.NDArray[Any]:
        return read(self._array(path))

    def _array(self, path: Any) -> Array:
        return self._now(self._open(path))

    def _now(self, array: Array) -> Array:
        return as_long_as_now(array) if self._plan.is_open else array


def _as_long_as(
    column: npt.NDArray[np.bool_], other: npt.NDArray[Kind]
) -> npt.NDArray[Kind]:
    """Cut a column, or fill it up with 0: of a growing run each process grows its own."""
    fitted = np.zeros(len(column), dtype=other.dtype)
    fitted[: len(other)] = other[: len(column)]
    return fitted
