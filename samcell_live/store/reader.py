"""Reading a run, while it is written or after. Never writes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

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
from samcell_live.store.arrays import open_array, read, read_attributes
from samcell_live.store.create import NOT_EXPECTED
from samcell_live.store.plan import RunPlan
from samcell_live.store.processes import ProcessState, read_process
from samcell_live.store.results import ANALYSED, FAILED, WAITING

_OUTCOMES = {WAITING: "waiting", ANALYSED: "analysed", FAILED: "failed"}


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
        self.plan = RunPlan.model_validate(attributes["plan"])
        self._array = cache(lambda array: open_array(path / array))
        self._raw = cache(lambda array: open_array(path / array, missing_is_fill=False))

    def analyses(self) -> list[str]:
        """Names of the analyses, in alphabetical order; none before the first began."""
        folder = self.path / layout.analysis("x").parent
        return sorted(child.parent.name for child in folder.glob("*/zarr.json"))

    def acquired(self) -> npt.NDArray[np.bool_]:
        """(n_slots,) which frames are on disk."""
        return self._column(layout.frame_column("acquired")).astype(bool)

    def rank(self) -> npt.NDArray[np.int32]:
        """(n_slots,) place of each frame in the acquisition, -1 where none is expected."""
        rank: npt.NDArray[np.int32] = self._column(layout.frame_column("rank"))
        return rank

    def expected(self) -> npt.NDArray[np.bool_]:
        """(n_slots,) which frames the run is to bring."""
        return np.not_equal(self.rank(), NOT_EXPECTED)

    def committed(self, analysis: str) -> npt.NDArray[np.uint8]:
        """(n_slots,) 0 waiting, 1 analysed, 2 failed; all 0 before the analysis began."""
        path = layout.series_column(analysis, "committed")
        if not (self.path / path / "zarr.json").is_file():
            return np.zeros(self.plan.shape.n_slots, dtype=np.uint8)
        return self._column(path)

    def frames(self) -> pd.DataFrame:
        """Every slot of the run: key, ``acquired``, ``expected``, ``rank``, and its row."""
        # The mark is read first: what it says is there is there.
        table: dict[str, Any] = {"acquired": self.acquired(), "rank": self.rank()}
        table["expected"] = table["rank"] != NOT_EXPECTED
        for name in (*FrameKey._fields, *FrameRow._fields):
            table[name] = self._column(layout.frame_column(name))
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
            table[name] = self._column(path)[slots] if len(slots) else np.empty(0)
        return table

    def counts(self, analysis: str) -> FrameCounts:
        """Account of the run."""
        # Results before frames, so that a result never outnumbers its frame.
        committed = self.committed(analysis)
        acquired = self.acquired()
        expected = int(np.count_nonzero(self.expected() | acquired))
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
        return np.flatnonzero(self.acquired() & (committed == WAITING))

    def frame(self, key: FrameKey) -> Frame:
        """Read one frame with its row.

        Raises
        ------
        ValueError
            If the frame is outside the run, or not acquired.
        """
        slot = self.plan.shape.slot(key)
        if not self.acquired()[slot]:
            raise ValueError(f"{key} of {self.path} has not been acquired.")
        row = FrameRow(
            *(
                float(read(self._array(layout.frame_column(name))[slot]))
                for name in FrameRow._fields
            )
        )
        return Frame(key, self.pixels(key), self.plan.pixel_size_um or np.nan, row)

    def pixels(self, key: FrameKey) -> Pixels:
        """Raw frame, (height, width).

        Raises
        ------
        OSError
            If the frame is not on disk, or damaged there.
        """
        raw = self._raw(layout.raw(self.plan.view(key).path))
        return read(raw[self.plan.raw_index(key)])

    def labels(self, key: FrameKey, analysis: str) -> Labels:
        """(height, width) int32 cells of one frame; zeros where there is no result."""
        stored = self._array(layout.labels(self.plan.view(key).path, analysis))
        return read(stored[self.plan.label_index(key)]).astype(np.int32)

    def cells(self, key: FrameKey, analysis: str) -> pd.DataFrame:
        """Cell table of one frame, one row per cell, indexed by label."""
        slot = self.plan.shape.slot(key)
        n_cells = self._cell_count(slot, analysis)
        table = read(self._array(layout.cells(analysis))[slot, 1 : n_cells + 1])
        index = pd.RangeIndex(1, n_cells + 1, name="label")
        return pd.DataFrame(table, columns=list(CellRow._fields), index=index)

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

    def _cell_count(self, slot: int, analysis: str) -> int:
        count = float(read(self._array(layout.series_column(analysis, "cell_count"))[slot]))
        return 0 if np.isnan(count) else int(count)

    def _column(self, path: Any) -> npt.NDArray[Any]:
        return read(self._array(path))
