"""The growth curve of a run, timepoint by timepoint and field by field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from samcell_dashboard.snapshot import Grid
from samcell_live.records import NAN

MAX_SCANS = 400
"""A line of more points than this is drawn no better on a screen."""
MAX_POINTS = 20_000

DIGITS = 4
"""Decimals of the numbers that are sent; the charts show fewer."""


class Scan(NamedTuple):
    """One timepoint over all views: a point of the median line and its band."""

    t: int
    hours: float | None
    """Culture time; None in a recording without times."""
    n_analysed: int
    n_failed: int
    confluence: float | None
    """Median, 0 to 1; None if nothing was analysed."""
    confluence_low: float | None
    """A quarter of the views lie below."""
    confluence_high: float | None
    """A quarter of the views lie above."""
    cell_count: float | None
    """Median of the cells per field."""
    cell_count_low: float | None
    cell_count_high: float | None


class Point(NamedTuple):
    """One frame: a point of a single view's line."""

    t: int
    view: int
    """Place in the plan's list of views."""
    hours: float | None
    confluence: float | None
    """0 to 1; None if the frame failed."""
    cell_count: float | None


def scans(grid: Grid, settled: npt.NDArray[np.bool_]) -> list[Scan]:
    """Summarise every settled timepoint by its median and middle half."""
    rows = np.flatnonzero(settled)
    columns = zip(
        rows.tolist(),
        _known(scan_hours(grid)[rows]),
        grid.analysed[rows].sum(axis=1).tolist(),
        grid.failed[rows].sum(axis=1).tolist(),
        *_middle(grid.confluence[rows]),
        *_middle(grid.cell_count[rows]),
        strict=True,
    )
    return [Scan(*column) for column in columns]


def points(grid: Grid, committed: npt.NDArray[np.bool_]) -> list[Point]:
    """Give the frames marked in `committed`, (n_timepoints, n_views)."""
    t, view = np.nonzero(committed)
    columns = zip(
        t.tolist(),
        view.tolist(),
        _known(grid.hours[t, view]),
        _known(grid.confluence[t, view]),
        _known(grid.cell_count[t, view]),
        strict=True,
    )
    return [Point(*column) for column in columns]


def scan_hours(grid: Grid) -> npt.NDArray[np.float64]:
    """(n_timepoints,) culture time of each timepoint: the median over its views."""
    return median_over_views(grid.hours)


def median_over_views(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n_timepoints,) median of what is known; NaN where nothing is."""
    return np.asarray(_quantiles(values, [0.5])[0])


TimedRow = TypeVar("TimedRow", Scan, Point)


def thin(rows: Iterable[TimedRow], most: int) -> list[TimedRow]:
    """Leave out timepoints evenly, so that about `most` rows remain; keep the newest."""
    kept = list(rows)
    stride = -(-len(kept) // most)
    newest = max((row.t for row in kept), default=0)
    return [row for row in kept if (newest - row.t) % max(stride, 1) == 0]


def _middle(
    values: npt.NDArray[np.float64],
) -> tuple[list[float | None], list[float | None], list[float | None]]:
    low, median, high = _quantiles(values, [0.25, 0.5, 0.75])
    return _known(median), _known(low), _known(high)


def _quantiles(
    values: npt.NDArray[np.float64], quantiles: list[float]
) -> npt.NDArray[np.float64]:
    found = np.full((len(quantiles), len(values)), NAN)
    rows = np.isfinite(values).any(axis=1)
    if rows.any():
        found[:, rows] = np.nanquantile(values[rows], quantiles, axis=1)
    return found


def _known(values: npt.NDArray[np.float64]) -> list[float | None]:
    """JSON knows no NaN."""
    return [
        round(value, DIGITS) if finite else None
        for value, finite in zip(values.tolist(), np.isfinite(values), strict=True)
    ]
