"""The four numbers at the head of the page, each with its uncertainty or its reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from samcell_dashboard.growth import FULL, Growth
from samcell_dashboard.latest import last_true, latest
from samcell_dashboard.pace import Lag
from samcell_dashboard.snapshot import Grid
from samcell_dashboard.wording import UNKNOWN, amount, duration, hours_between, percent
from samcell_live.culture.trend import NotYet


@dataclass(frozen=True, slots=True)
class Tile:
    """One number with what it takes to trust it."""

    id: str
    label: str
    value: str
    detail: str
    note: str = ""


TILE_LABELS = {
    "confluence": "Confluence",
    "doubling": "Doubling time (count)",
    "full": f"{FULL:.0%} confluence".replace("%", " %"),
    "lag": "Analysis lag",
}


def tiles(grid: Grid, found: Growth, behind: Lag, clock: datetime | None) -> list[Tile]:
    """Write the four tiles.

    Parameters
    ----------
    grid : Grid
        The segmented frames.
    found : Growth
        The fits.
    behind : Lag
        The analysis lag.
    clock : datetime, optional
        Zoned time at which the experiment began, where culture hours are hours of the
        wall clock; None in a simulation or a recording.
    """
    return [_confluence(grid), _doubling(found), _full(found, clock), _lag(behind)]


def _tile(name: str, value: str, detail: str, note: str = "") -> Tile:
    return Tile(name, TILE_LABELS[name], value, detail, note)


def _confluence(grid: Grid) -> Tile:
    values = latest(grid.confluence, last_true(grid.analysed))
    values = values[np.isfinite(values)]
    if not values.size:
        return _tile("confluence", UNKNOWN, "no frame has been analysed yet")
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    if values.size == 1:
        return _tile("confluence", percent(middle), "1 position, latest frame")
    return _tile(
        "confluence",
        percent(middle),
        f"median of {amount(values.size, 'position')}",
        f"middle half {low * 100:.1f} to {high * 100:.1f} %",
    )


def _doubling(found: Growth) -> Tile:
    fit = found.doubling
    if isinstance(fit, NotYet):
        return _tile("doubling", UNKNOWN, fit.reason, _patience(fit))
    interval = hours_between(fit.low_h, fit.high_h)
    window = f"{fit.window_start_h:.0f} to {fit.window_end_h:.0f} h"
    return _tile(
        "doubling",
        f"{fit.estimate_h:.1f} h",
        f"95 % interval {interval}",
        f"{fit.estimator}, {window}",
    )


def _full(found: Growth, clock: datetime | None) -> Tile:
    full = found.full
    if isinstance(full, NotYet):
        return _tile("full", UNKNOWN, full.reason, _patience(full))
    if full.reached:
        return _tile("full", f"{full.estimate_h:.1f} h", "reached, hours since the start")
    value = f"at {full.estimate_h:.1f} h"
    if clock is not None:
        value = _clock_time(clock + timedelta(hours=full.estimate_h))
    between = hours_between(full.low_h, full.high_h)
    calibrated = "calibrated" if full.calibrated else "not calibrated"
    return _tile("full", value, between, f"range {calibrated}")


def _lag(behind: Lag) -> Tile:
    value = amount(behind.frames, "frame")
    if not behind.frames:
        return _tile("lag", value, "every acquired frame has its result")
    if math.isnan(behind.oldest_s):
        return _tile("lag", value, "age of the oldest not known")
    return _tile("lag", value, f"oldest waits for {duration(behind.oldest_s)}")


def _patience(reason: NotYet) -> str:
    if not math.isfinite(reason.hours_more):
        return ""
    return f"about {max(reason.hours_more, 0.1):.1f} h more"


def _clock_time(moment: datetime) -> str:
    return f"{moment:%a %H:%M} {moment.tzname()}"
