"""Runs that a test lets grow frame by frame, as an acquisition and a worker would."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from builders import cell_rows, frame, plan, results_of, squares
from samcell_dashboard.page import Page, compose
from samcell_dashboard.sites import site_map
from samcell_dashboard.snapshot import take_snapshot

from samcell_live.records import FrameKey, FrameRow, RunShape, SeriesRow
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.plan import RunPlan
from samcell_live.store.processes import ACQUISITION, ProcessRecord
from samcell_live.store.reader import RunReader
from samcell_live.store.results import ResultsWriter

START_S = 1_700_000_000.0
"""When the runs of these tests began, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class GrowingRun:
    """A run in the hands of a test."""

    path: Path
    plan: RunPlan
    frames: FrameWriter
    results: ResultsWriter

    def acquire(self, t: int, p: int = 0, **row: float) -> None:
        """Write a frame; timepoints are an hour apart, frames arrive 10 s apart."""
        arrived_s = START_S + 10 * (t * self.plan.shape.p + p)
        known = {"time_s": arrived_s, "elapsed_s": 3600.0 * t}
        image = frame(FrameKey(t=t, p=p))
        self.frames.write(replace(image, row=FrameRow(**(known | row))))

    def analyse(self, t: int, p: int = 0, *, n_cells: int = 5, **row: float) -> None:
        """Commit a result with this many cells."""
        known = {"confluence": n_cells / 100, "cell_count": n_cells, "cell_likeness": 0.9}
        self.results.commit(
            FrameKey(t=t, p=p),
            SeriesRow(**(known | row)),
            labels=squares(n_cells),
            cells=cell_rows(n_cells),
        )

    def fail(self, t: int, p: int = 0, reason: str = "RuntimeError: too dark") -> None:
        """Commit a failure."""
        self.results.fail(FrameKey(t=t, p=p), reason)

    def scan(self, t: int, *, n_cells: int = 5, **row: float) -> None:
        """Acquire and analyse one timepoint at every position."""
        for p in range(self.plan.shape.p):
            self.acquire(t, p)
            self.analyse(t, p, n_cells=n_cells, **row)

    def end(self) -> None:
        """Say that the acquisition is over."""
        with ProcessRecord(self.path, ACQUISITION):
            pass

    def page(self, *, now_s: float = START_S, analysed_per_s: float = float("nan")) -> Page:
        """Compose the page from what is on disk."""
        snapshot = take_snapshot(RunReader(self.path), now_s)
        return compose(snapshot, site_map(self.plan), analysed_per_s)

    def tile(self, name: str) -> str:
        """All that one tile says."""
        tile = next(tile for tile in self.page().tiles if tile.id == name)
        return " | ".join(part for part in (tile.value, tile.detail, tile.note) if part)


Begin: TypeAlias = Callable[..., GrowingRun]
"""What the fixture `begin` is."""


def begin_run(
    path: Path,
    t: int = 12,
    p: int = 1,
    *,
    plate: bool = False,
    expected: Iterable[FrameKey] | None = None,
    analysis: str = "cells",
    **changes: Any,
) -> GrowingRun:
    """Begin a run: by default 12 hourly timepoints at one position, in slot order."""
    run_plan = plan(RunShape(t=t, p=p), plate=plate, **changes)
    create_run(path, run_plan, expected)
    frames = FrameWriter(path, run_plan)
    return GrowingRun(path, run_plan, frames, results_of(path, run_plan, analysis))
