"""All that the page says of a run, read from the disk at one moment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from samcell_dashboard.account import ahead
from samcell_dashboard.vitals import Vitals, read_crew, shown_analysis, vitals
from samcell_live.store.firings import Firing, read_firings
from samcell_live.store.reader import RunReader
from samcell_live.store.stacks import Stacks


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A run as it stood on disk."""

    vitals: Vitals
    analysis: str
    frames: pd.DataFrame
    """Every slot, as `RunReader.frames` gives it."""
    results: pd.DataFrame
    """Committed slots, as `RunReader.series` gives them."""
    making: Mapping[str, object]
    """How the results were made, see `records.Making`; empty before the first."""
    firings: Sequence[Firing] = ()
    """What the rules of the run did."""

    @property
    def edition(self) -> str:
        """Differs between two analyses of a run, even under one name."""
        made = json.dumps([self.analysis, self.making], sort_keys=True)
        return hashlib.sha256(made.encode()).hexdigest()[:12]


def take_snapshot(reader: RunReader, now_s: float) -> Snapshot:
    """Read a run. All that is counted is counted in the tables that are shown."""
    analysis = shown_analysis(reader)
    crew = read_crew(reader, analysis, now_s)
    results = reader.series(analysis)  # before the frames: a result never lacks its frame
    frames = reader.frames()
    return Snapshot(
        vitals=vitals(
            reader.plan.lasting(len(frames) // reader.plan.slots_per_timepoint),
            crew,
            acquired=frames["acquired"].to_numpy(),
            rank=frames["rank"].to_numpy(),
            n_analysed=int((results["status"] == "analysed").sum()),
            n_failed=int((results["status"] == "failed").sum()),
        ),
        analysis=analysis,
        frames=frames,
        results=results,
        making=reader.making(analysis) if analysis in reader.analyses() else {},
        firings=read_firings(reader.path),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The frames in which cells are looked for, laid out by timepoint and view.

    All arrays are (n_timepoints, n_views); views are in the plan's order.
    """

    slots: npt.NDArray[np.int64]
    """Slot of the run that each frame lies in."""
    to_come: npt.NDArray[np.bool_]
    """Not acquired yet; what is neither that nor acquired is missing."""
    acquired: npt.NDArray[np.bool_]
    analysed: npt.NDArray[np.bool_]
    failed: npt.NDArray[np.bool_]
    hours: npt.NDArray[np.float64]
    """Since the experiment began; NaN in a recording without times."""
    confluence: npt.NDArray[np.float64]
    """0 to 1, NaN where there is no result."""
    cell_count: npt.NDArray[np.float64]
    cell_likeness: npt.NDArray[np.float64]

    def is_settled(self) -> npt.NDArray[np.bool_]:
        """(n_timepoints,) whether no more results will come for a timepoint.

        The median of half a plate is not the median of the plate: a timepoint is
        charted when all its frames are analysed, failed or known to be missing.
        """
        done = self.analysed | self.failed
        pending = self.to_come | (self.acquired & ~done)
        return np.asarray(done.any(axis=1) & ~pending.any(axis=1))


def lay_out(snapshot: Snapshot) -> Grid:
    """Arrange the segmented frames of a run by timepoint and view."""
    frames = snapshot.frames
    results = snapshot.results.reindex(frames.index)
    acquired = frames["acquired"].to_numpy()
    slots = _carrying_slots(snapshot, results)
    is_ahead = ahead(acquired, frames["rank"].to_numpy())
    if snapshot.vitals.plan.is_open:  # nothing is expected; what may come is not missing
        newest_t = frames["t"].to_numpy()[acquired].max(initial=0)
        is_ahead = ~acquired & (frames["t"].to_numpy() >= newest_t)

    def column(table: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
        return np.asarray(table[name].to_numpy(dtype=np.float64)[slots])

    return Grid(
        slots=slots,
        to_come=is_ahead[slots] & snapshot.vitals.is_acquiring,
        acquired=acquired[slots],
        analysed=(results["status"] == "analysed").to_numpy()[slots],
        failed=(results["status"] == "failed").to_numpy()[slots],
        hours=column(frames, "elapsed_s") / 3600,
        confluence=column(results, "confluence"),
        cell_count=column(results, "cell_count"),
        cell_likeness=column(results, "cell_likeness"),
    )


def _carrying_slots(snapshot: Snapshot, results: pd.DataFrame) -> npt.NDArray[np.int64]:
    """(n_timepoints, n_views) slots of the frames that carry the cells.

    Parameters
    ----------
    snapshot : Snapshot
    results : pandas.DataFrame
        Its results, one row for every slot.
    """
    plan, frames = snapshot.vitals.plan, snapshot.frames
    stacks = Stacks.now(
        plan,
        rank=frames["rank"].to_numpy(),
        acquired=frames["acquired"].to_numpy(),
        done=results["status"].notna().to_numpy(),
        has_cells=results["cell_count"].notna().to_numpy(),
        may_come=snapshot.vitals.is_acquiring,
    )
    p = [view.p for view in plan.views]
    g = [view.g for view in plan.views]
    z = stacks.carriers()[:, p, g, plan.segment_c, plan.segment_cam]
    t = np.arange(plan.shape.t)[:, np.newaxis]
    # Before anything of a stack has come, it will lie where it is planned to.
    plane = np.where(z >= 0, z, plan.segment_z)
    places = np.broadcast_arrays(t, p, g, plan.segment_c, plane, plan.segment_cam)
    return np.asarray(np.ravel_multi_index(tuple(places), plan.shape_tpgczcam))
