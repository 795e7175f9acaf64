"""All that the page says of a run, read from the disk at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from samcell_live.records import FrameCounts, FrameKey
from samcell_live.store.plan import RunPlan
from samcell_live.store.processes import ACQUISITION, ProcessState, analysis_role
from samcell_live.store.reader import RunReader

DEFAULT_ANALYSIS = "cells"


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A run as it stood on disk."""

    plan: RunPlan
    taken_s: float
    """Seconds since 1970, UTC."""
    analysis: str
    counts: FrameCounts
    frames: pd.DataFrame
    """Every slot, as `RunReader.frames` gives it."""
    results: pd.DataFrame
    """Committed slots, as `RunReader.series` gives them."""
    acquisition: ProcessState | None
    worker: ProcessState | None
    making: Mapping[str, object]
    """How the results were made, see `records.Making`; empty before the first."""

    @property
    def is_acquiring(self) -> bool:
        """Whether more frames are to come. A run without a record is taken at its plan."""
        if self.acquisition is None:
            return self.counts.missing > 0
        return self.acquisition.is_alive(self.taken_s)

    @property
    def is_analysing(self) -> bool:
        """Whether somebody is at work on the frames that wait."""
        return self.worker is not None and self.worker.is_alive(self.taken_s)


def take_snapshot(reader: RunReader, now_s: float) -> Snapshot:
    """Read a run. What ended is read first, so that an ended run is read complete."""
    analysis = shown_analysis(reader)
    acquisition = reader.process(ACQUISITION)
    worker = reader.process(analysis_role(analysis))
    return Snapshot(
        plan=reader.plan,
        taken_s=now_s,
        analysis=analysis,
        acquisition=acquisition,
        worker=worker,
        making=reader.making(analysis) if analysis in reader.analyses() else {},
        results=reader.series(analysis),
        counts=reader.counts(analysis),
        frames=reader.frames(),
    )


def shown_analysis(reader: RunReader) -> str:
    """Name of the analysis that the page shows: ``cells``, or else the first there is."""
    names = reader.analyses()
    return names[0] if names and DEFAULT_ANALYSIS not in names else DEFAULT_ANALYSIS


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The frames in which cells are looked for, laid out by timepoint and view.

    All arrays are (n_timepoints, n_views); views are in the plan's order.
    """

    expected: npt.NDArray[np.bool_]
    acquired: npt.NDArray[np.bool_]
    analysed: npt.NDArray[np.bool_]
    failed: npt.NDArray[np.bool_]
    hours: npt.NDArray[np.float64]
    """Since the experiment began; NaN in a recording without times."""
    confluence: npt.NDArray[np.float64]
    """0 to 1, NaN where there is no result."""
    cell_count: npt.NDArray[np.float64]
    cell_likeness: npt.NDArray[np.float64]

    def is_settled(self, *, is_acquiring: bool) -> npt.NDArray[np.bool_]:
        """(n_timepoints,) whether no more results will come for a timepoint.

        The median of half a plate is not the median of the plate: a timepoint is
        charted when all its frames are analysed, failed or known to be missing.
        """
        waiting = self.acquired & ~self.analysed & ~self.failed
        missing = self.expected & ~self.acquired
        begun = np.flatnonzero(self.acquired.any(axis=1))
        newest = begun[-1] if begun.size else -1
        still_coming = missing.any(axis=1) & is_acquiring
        still_coming &= np.arange(len(missing)) >= newest
        seen = (self.analysed | self.failed).any(axis=1)
        return np.asarray(seen & ~waiting.any(axis=1) & ~still_coming)


def lay_out(snapshot: Snapshot) -> Grid:
    """Arrange the segmented frames of a run by timepoint and view."""
    plan, frames = snapshot.plan, snapshot.frames
    first = [
        plan.shape.slot(FrameKey(p=view.p, g=view.g, c=plan.segment_c, z=plan.segment_z))
        for view in plan.views
    ]
    stride = plan.shape.n_slots // plan.shape.t
    slots = np.arange(plan.shape.t)[:, np.newaxis] * stride + np.array(first)
    results = snapshot.results.reindex(frames.index)

    def column(table: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
        return np.asarray(table[name].to_numpy(dtype=np.float64)[slots])

    return Grid(
        expected=frames["expected"].to_numpy()[slots],
        acquired=frames["acquired"].to_numpy()[slots],
        analysed=(results["status"] == "analysed").to_numpy()[slots],
        failed=(results["status"] == "failed").to_numpy()[slots],
        hours=column(frames, "elapsed_s") / 3600,
        confluence=column(results, "confluence"),
        cell_count=column(results, "cell_count"),
        cell_likeness=column(results, "cell_likeness"),
    )
