"""The fits that the page shows, and their curves for the chart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from samcell_dashboard.scans import median_over_views, scan_hours
from samcell_dashboard.snapshot import Grid
from samcell_live.culture.forecast import ConfluenceTime, time_to_confluence
from samcell_live.culture.growth import DoublingTime, doubling_time
from samcell_live.culture.pooling import pool_counts
from samcell_live.culture.trend import NotYet

FULL = 0.8
"""Confluence at which most cultures are passaged."""

CURVE_POINTS = 16


@dataclass(frozen=True, slots=True)
class Growth:
    """What is known of a culture's growth, or why it is not."""

    doubling: DoublingTime | NotYet
    full: ConfluenceTime | NotYet
    n_pooled: int
    """Views whose cells were added up for the doubling time."""
    last_hours: float
    last_confluence: float


class Curve(NamedTuple):
    """A line for the chart."""

    hours: list[float]
    values: list[float]


def growth(grid: Grid, settled: npt.NDArray[np.bool_]) -> Growth:
    """Fit the settled timepoints: counts of all views pooled, median confluence."""
    hours = scan_hours(grid)[settled]
    confluence = median_over_views(grid.confluence)[settled]
    counts = grid.cell_count[settled]
    known = np.flatnonzero(np.isfinite(hours) & np.isfinite(confluence))
    doubling: DoublingTime | NotYet
    full: ConfluenceTime | NotYet
    if settled.any() and not np.isfinite(hours).any():
        doubling = full = NotYet("this recording carries no times")
    else:
        pooled = pool_counts(counts.T) if counts.size else np.empty(0)
        doubling = doubling_time(hours, pooled, confluence)
        full = time_to_confluence(hours, confluence, FULL)
    return Growth(
        doubling,
        full,
        n_pooled=int(np.isfinite(counts).sum(axis=1).max(initial=0)),
        last_hours=float(hours[known[-1]]) if known.size else math.nan,
        last_confluence=float(confluence[known[-1]]) if known.size else math.nan,
    )


def fit_curve(found: Growth) -> Curve | None:
    """Cells per field on the fitted line, over the fit's window."""
    fit = found.doubling
    if isinstance(fit, NotYet):
        return None
    hours = np.linspace(fit.window_start_h, fit.window_end_h, CURVE_POINTS)
    return Curve(*_rounded(hours, fit.count_at(hours) / max(found.n_pooled, 1)))


def forecast_curve(found: Growth) -> Curve | None:
    """Confluence from now to the threshold, straight in ln(-ln(1 - C)) as the fit is."""
    full = found.full
    if isinstance(full, NotYet) or full.reached:
        return None
    start, end = found.last_confluence, full.threshold
    if not (0 < start < 1 and full.estimate_h > found.last_hours):
        return None
    hours = np.linspace(found.last_hours, full.estimate_h, CURVE_POINTS)
    ends = np.log(-np.log1p(-np.array([start, end])))
    occupancy = np.interp(hours, hours[[0, -1]], ends)
    return Curve(*_rounded(hours, -np.expm1(-np.exp(occupancy))))


def _rounded(*columns: npt.NDArray[np.float64]) -> list[list[float]]:
    return [column.round(4).tolist() for column in columns]
