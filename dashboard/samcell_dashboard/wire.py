"""What goes over the wire: the API's JSON. Unknown is ``null``, for JSON has no NaN."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from samcell_dashboard.feed import Changes, Failure
from samcell_dashboard.growth import fit_curve, forecast_curve
from samcell_dashboard.library import Run
from samcell_dashboard.pace import Lag
from samcell_dashboard.page import Page
from samcell_dashboard.scans import Point, Scan
from samcell_dashboard.sites import SiteState
from samcell_dashboard.status import failed_status, run_status
from samcell_live.culture.forecast import ConfluenceTime
from samcell_live.culture.trend import NotYet

Json: TypeAlias = dict[str, Any]


def dumps(value: Json) -> str:
    """Write JSON in as few bytes as it takes."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def run_summary(run: Run) -> Json:
    """One line of the list of runs."""
    plan, vitals = run.feed.reader.plan, run.feed.vitals()
    return {
        "id": run.id,
        "name": plan.name,
        "source": plan.source,
        "created": plan.created.isoformat(),
        "status": dataclasses.asdict(run_status(vitals, Lag(vitals.account.waiting))),
        "counts": vitals.account._asdict(),
    }


def unreadable_run(run: Run, reason: str) -> Json:
    """Line of a run of which no more is known than its name."""
    return {
        "id": run.id,
        "name": run.path.name,
        "source": None,
        "created": None,
        "status": dataclasses.asdict(failed_status(reason)),
        "counts": None,
    }


def run_about(run: Run) -> Json:
    """What does not change while a run goes on."""
    plan = run.feed.reader.plan
    return {
        "id": run.id,
        "name": plan.name,
        "source": plan.source,
        "created": plan.created.isoformat(),
        "n_timepoints": None if plan.is_open else plan.shape.t,
        "height_px": plan.height_px,
        "width_px": plan.width_px,
        "pixel_size_um": plan.pixel_size_um,
        "channel": plan.channels[plan.segment_c].name,
        "views": [view.name for view in plan.views],
        "map": dataclasses.asdict(run.feed.places),
    }


def updates(page: Page, changes: Changes) -> Json:
    """One live update: every small panel as it is, long tables as what changed."""
    update = {
        "cursor": changes.cursor,
        "reload": changes.reload,
        "status": _status(page),
        "warning": page.warning,
        "tiles": [dataclasses.asdict(tile) for tile in page.tiles],
        "counts": page.snapshot.vitals.account._asdict(),
        "analysis": page.snapshot.analysis,
        "axis": "hours" if np.isfinite(page.grid.hours).any() else "scan",
        "facts": [fact._asdict() for fact in page.facts],
        "scans": columns(Scan, changes.scans),
        "points": columns(Point, changes.points),
        "sites": columns(SiteState, changes.sites),
        "failures": columns(Failure, changes.failures),
    }
    if changes.scans or changes.reload:
        update["growth"] = _growth(page)
    return update


def frame(page: Page, t: int, view: int) -> Json:
    """What is known of one segmented frame."""
    grid, place = page.grid, (t, view)
    marks = {
        "analysed": grid.analysed,
        "failed": grid.failed,
        "waiting": grid.acquired,
        "to come": grid.to_come,
    }
    return {
        "t": t,
        "view": view,
        "hours": _number(grid.hours[place]),
        "status": next((name for name, is_so in marks.items() if is_so[place]), "missing"),
        "confluence": _number(grid.confluence[place]),
        "cell_count": _number(grid.cell_count[place]),
        "edition": page.snapshot.edition,
    }


def columns(kind: type[NamedTuple], rows: Sequence[NamedTuple]) -> dict[str, list[Any]]:
    """Turn rows into columns, which name each field once.

    Examples
    --------
    >>> columns(Failure, [Failure(3, "A1", None, "too dark")])
    {'t': [3], 'view': ['A1'], 'hours': [None], 'reason': ['too dark']}
    """
    names: tuple[str, ...] = kind._fields
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _status(page: Page) -> Json:
    arrivals = page.arrivals
    return {
        **dataclasses.asdict(page.status),
        "age_s": _number(page.snapshot.vitals.crew.asked_s - arrivals.newest_s, 1),
        "newest_s": _number(arrivals.newest_s),
        "eta_s": _number(arrivals.eta_s, 0),
    }


def _growth(page: Page) -> Json:
    found = page.growth
    curve, forecast = fit_curve(found), forecast_curve(found)
    return {
        "fit": None if curve is None else curve._asdict(),
        "forecast": None if forecast is None else forecast._asdict(),
        "range": None if forecast is None else _range(found.full),
    }


def _range(full: ConfluenceTime | NotYet) -> Json | None:
    """Where the forecast may cross its threshold; None if it has no end."""
    if isinstance(full, NotYet) or not math.isfinite(full.high_h):
        return None
    return {
        "hours": [_number(full.low_h), _number(full.high_h)],
        "values": [full.threshold, full.threshold],
    }


def _number(value: float, digits: int = 4) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
