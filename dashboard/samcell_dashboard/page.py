"""What the page shows of a run: one snapshot in, every panel out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from samcell_dashboard.growth import Growth, growth
from samcell_dashboard.health import Fact, facts
from samcell_dashboard.latest import UNLIKE_A_CULTURE, last_true, latest, site_states
from samcell_dashboard.pace import Arrivals, Lag, arrivals, lag
from samcell_dashboard.scans import Scan, scans
from samcell_dashboard.sites import SiteMap, SiteState
from samcell_dashboard.snapshot import Grid, Snapshot, lay_out
from samcell_dashboard.status import Status, run_status
from samcell_dashboard.tiles import Tile, tiles
from samcell_live.records import NAN
from samcell_live.store.alerts import Condition, judge


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Every panel of a run's page."""

    snapshot: Snapshot
    grid: Grid
    status: Status
    lag: Lag
    arrivals: Arrivals
    facts: list[Fact]
    tiles: list[Tile]
    growth: Growth
    scans: list[Scan]
    sites: list[SiteState]
    warning: str
    """What is wrong with the run, and why its numbers should not be trusted; or empty."""


def compose(snapshot: Snapshot, places: SiteMap, analysed_per_s: float) -> Page:
    """Work out every panel.

    Parameters
    ----------
    snapshot : Snapshot
        The run now.
    places : SiteMap
        Its map.
    analysed_per_s : float
        Results per second of late; NaN if not known.
    """
    grid = lay_out(snapshot)
    settled = grid.is_settled()
    behind = lag(snapshot, analysed_per_s)
    found = growth(grid, settled)
    return Page(
        snapshot=snapshot,
        grid=grid,
        status=run_status(snapshot.vitals, behind),
        lag=behind,
        arrivals=arrivals(snapshot),
        facts=facts(snapshot),
        tiles=tiles(grid, found, behind, _start(snapshot)),
        growth=found,
        scans=scans(grid, settled),
        sites=site_states(grid, places),
        warning=" ".join([*_alerts(snapshot), *_doubts(grid)]),
    )


def _start(snapshot: Snapshot) -> datetime | None:
    """Time of the culture's hour 0; None where its hours are not the wall clock's."""
    if snapshot.vitals.plan.source != "microscope":
        return None
    start_s = (snapshot.frames["time_s"] - snapshot.frames["elapsed_s"]).median()
    if not np.isfinite(start_s):
        return None
    return datetime.fromtimestamp(float(start_s), UTC).astimezone()


def _alerts(snapshot: Snapshot) -> Iterator[str]:
    """Say what is wrong, but for what the run's status or its health says anyway."""
    vitals, frames = snapshot.vitals, snapshot.frames
    condition = Condition(
        plan=vitals.plan,
        acquired=frames["acquired"].to_numpy(),
        rank=frames["rank"].to_numpy(),
        stage_um=frames[["stage_x_um", "stage_y_um"]].to_numpy(),
        n_waiting=vitals.account.waiting,
        acquisition=vitals.crew.acquisition,
        worker=vitals.crew.worker,
    )
    for alert in judge(condition, vitals.crew.asked_s):
        if alert.kind not in ("acquisition", "paused", "slow disk"):
            yield alert.text


def _doubts(grid: Grid) -> Iterator[str]:
    likeness = latest(grid.cell_likeness, last_true(grid.analysed))
    known = likeness[np.isfinite(likeness)]
    middle = float(np.median(known)) if known.size else NAN
    if middle < UNLIKE_A_CULTURE:
        yield (
            f"This does not look like a culture (cell likeness {middle:.2f} of 1): the "
            "numbers may mean nothing. Look at the image, and check the channel, focus and "
            "model."
        )
