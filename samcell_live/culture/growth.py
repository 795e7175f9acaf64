"""How fast a culture grows, and when it will be full: fits, each with its interval.

A function here answers with a number or says in a sentence why there is none yet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from samcell_live.records import NAN

MIN_POINTS = 8
MIN_FOLD = 1.5
CONTACT_INHIBITION = 0.7
"""Confluence from which neighbours are taken to slow each other down."""
RECENT_H = 24.0
"""A forecast looks back this far."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DoublingTime:
    """Time in which the cell count doubles, with its 95 % interval and its making."""

    estimate_h: float
    low_h: float
    high_h: float
    """Infinite where the data also allow no growth at all."""
    window_start_h: float
    window_end_h: float
    n_points: int
    count_at_start: float
    """Height of the fitted line where the window begins."""
    estimator: str = "log-linear fit on cell count"

    def count_at(self, hours: npt.ArrayLike) -> FloatArray:
        """Cell count on the fitted line, for drawing it."""
        elapsed = np.asarray(hours, dtype=np.float64) - self.window_start_h
        return np.asarray(self.count_at_start * np.exp2(elapsed / self.estimate_h))


@dataclass(frozen=True, slots=True)
class ConfluenceTime:
    """When a culture passes a confluence, or when it did."""

    estimate_h: float
    low_h: float
    high_h: float
    """Infinite where the data also allow that it never does."""
    threshold: float
    reached: bool
    """The threshold has been passed: a fact, and no longer a forecast."""
    calibrated: bool = False
    """Whether the range is known to hold the truth as often as it says; it is not."""
    estimator: str = "occupancy-corrected log-linear fit on confluence"


@dataclass(frozen=True, slots=True)
class NotYet:
    """Why there is no number, in words for the dashboard."""

    reason: str
    hours_more: float = NAN
    """Roughly how much longer to wait; NaN if that cannot be told."""


def doubling_time(
    hours: npt.ArrayLike,
    counts: npt.ArrayLike,
    confluence: npt.ArrayLike | None = None,
    *,
    max_confluence: float = CONTACT_INHIBITION,
) -> DoublingTime | NotYet:
    """Fit exponential growth to cell counts.

    A straight line is fitted to ln(count) by least squares. The window is all points
    up to the time when the culture becomes crowded: its confluence stays above
    `max_confluence` for two points running. Without `confluence` it is all points, and
    a culture that has stopped growing makes the doubling time too long.

    Parameters
    ----------
    hours : (n_timepoints,) float
        Culture time. NaN: the point is left out.
    counts : (n_timepoints,) float
        Cells. Missing or failed points are NaN; these and zeros, which have no
        logarithm, are left out.
    confluence : (n_timepoints,) float, optional
        0 to 1, NaN where unknown.

    Returns
    -------
    DoublingTime or NotYet
        The 95 % interval is Student's on the slope. It takes the points for
        independent, so it is too narrow when errors last from frame to frame.

    Examples
    --------
    >>> hours = np.arange(10.0)
    >>> fit = doubling_time(hours, 100 * 2 ** (hours / 5))
    >>> round(fit.estimate_h, 6)
    5.0
    """
    time = np.asarray(hours, dtype=np.float64)
    count = np.asarray(counts, dtype=np.float64)
    usable = np.isfinite(time) & np.isfinite(count) & (count > 0)
    if confluence is not None:
        cover = np.asarray(confluence, dtype=np.float64)
        usable &= time < _first_lasting(time, cover, max_confluence)
    time, log_count = time[usable], np.log(count[usable])
    reason = _too_little(time, log_count)
    if reason is not None:
        return reason
    line = _fit(time, log_count)
    start = float(time.min())
    return DoublingTime(
        estimate_h=math.log(2) / line.slope,
        low_h=math.log(2) / line.slope_high,
        high_h=math.log(2) / line.slope_low if line.slope_low > 0 else math.inf,
        window_start_h=start,
        window_end_h=float(time.max()),
        n_points=time.size,
        count_at_start=math.exp(line.at(start)),
    )


def time_to_confluence(
    hours: npt.ArrayLike,
    confluence: npt.ArrayLike,
    threshold: float,
    *,
    recent_h: float = RECENT_H,
) -> ConfluenceTime | NotYet:
    """Forecast when a culture passes a confluence.

    Cells that lie at random cover 1 - exp(-a N) of the field, so ln(-ln(1 - C)) rises
    by a straight line while their number N grows exponentially. That line is fitted to
    the last `recent_h` hours (or the last 8 points) and carried on. The range is where
    its 95 % confidence band crosses the threshold. It knows nothing of contact
    inhibition or medium changes and has not been calibrated on past runs.

    Parameters
    ----------
    hours, confluence : (n_timepoints,) float
        Culture time, and the covered fraction, 0 to 1. Points that are NaN, or
        completely empty or full, are left out.
    threshold : float
        Confluence to reach, above 0 and below 1.

    Raises
    ------
    ValueError
        If the threshold is not a fraction between 0 and 1.
    """
    if not 0 < threshold < 1:
        raise ValueError(
            f"The threshold is {threshold}, but confluence is a fraction above 0 and "
            "below 1. Give 0.8 for 80 %."
        )
    time = np.asarray(hours, dtype=np.float64)
    cover = np.asarray(confluence, dtype=np.float64)
    passed_h = _first_lasting(time, cover, threshold)
    if math.isfinite(passed_h):
        return ConfluenceTime(passed_h, passed_h, passed_h, threshold, reached=True)
    usable = np.isfinite(time) & (cover > 0) & (cover < 1)
    time, cover = time[usable], cover[usable]
    if time.size < MIN_POINTS:
        return _needs_points(time)
    recent = time >= min(time[-1] - recent_h, time[-MIN_POINTS])
    return _crossing(_fit(time[recent], _occupancy(cover[recent])), threshold)


def pool_counts(counts: npt.ArrayLike) -> FloatArray:
    """Add up the cells of several positions, so that a gap does not look like death.

    Growth from one timepoint to the next is that of the positions counted at both;
    chained, and set to the plain sum at the last timepoint with the most positions.
    Where nothing is missing the result is the plain sum.

    Parameters
    ----------
    counts : (n_positions, n_timepoints) float
        NaN where a position was not acquired, or its analysis failed.

    Returns
    -------
    (n_timepoints,) float64
        NaN where no position was counted, or none that the timepoint before has too.

    Examples
    --------
    >>> pool_counts([[100, 200, 400], [10, np.nan, 40]]).tolist()
    [110.0, 220.0, 440.0]
    """
    table = np.asarray(counts, dtype=np.float64)
    counted = np.isfinite(table)
    sums = np.where(counted, table, 0).sum(axis=0)
    pooled = np.where(counted.any(axis=0) & (sums == 0), 0.0, NAN)
    growing = np.flatnonzero(sums > 0)
    if growing.size == 0:
        return pooled
    base = growing[0]
    pooled[base] = sums[base]
    for now in growing[1:]:
        both = counted[:, base] & counted[:, now]
        before = table[both, base].sum()
        if before > 0:
            pooled[now] = pooled[base] * table[both, now].sum() / before
            base = now if pooled[now] > 0 else base
    return pooled * _scale(pooled, sums, counted.sum(axis=0))


class _Line(NamedTuple):
    """A least-squares line with what its 95 % intervals need."""

    slope: float
    height: float
    """At the mean time."""
    mean_h: float
    slope_error: float
    """Half-width of the slope's 95 % interval."""
    height_error: float
    """The same of `height`."""

    @property
    def slope_low(self) -> float:
        return self.slope - self.slope_error

    @property
    def slope_high(self) -> float:
        return self.slope + self.slope_error

    def at(self, hours: float) -> float:
        return self.height + self.slope * (hours - self.mean_h)


def _fit(time: FloatArray, values: FloatArray) -> _Line:
    fit = stats.linregress(time, values)
    spread = math.sqrt(float(np.var(time)))
    student = float(stats.t.ppf(0.975, time.size - 2))
    error = student * float(fit.stderr)
    return _Line(
        float(fit.slope), float(values.mean()), float(time.mean()), error, error * spread
    )


def _first_lasting(time: FloatArray, values: FloatArray, limit: float) -> float:
    """Time of the first two measured points in a row at or above the limit, or inf."""
    measured = np.isfinite(time) & np.isfinite(values)
    above = values[measured] >= limit
    lasting = np.flatnonzero(above[:-1] & above[1:])
    return float(time[measured][lasting[0]]) if lasting.size else math.inf


def _too_little(time: FloatArray, log_count: FloatArray) -> NotYet | None:
    if time.size < MIN_POINTS or np.ptp(time) == 0:
        return _needs_points(time)
    slope, span = _fit(time, log_count).slope, float(np.ptp(time))
    fold = math.exp(slope * span)
    if fold >= MIN_FOLD:
        return None
    reason = f"needs {MIN_FOLD}-fold growth; the fitted line has {fold:.2f}-fold so far"
    if slope <= 0:
        return NotYet(reason)
    return NotYet(reason, math.log(MIN_FOLD) / slope - span)


def _needs_points(time: FloatArray) -> NotYet:
    step_h = float(np.median(np.diff(time))) if time.size > 1 else NAN
    return NotYet(
        f"needs {MIN_POINTS} timepoints with cells; there are {time.size} so far",
        (MIN_POINTS - time.size) * step_h,
    )


def _occupancy(cover: npt.ArrayLike) -> FloatArray:
    """ln(-ln(1 - C)): the log of cells per area, up to a constant."""
    return np.asarray(np.log(-np.log1p(-np.asarray(cover, dtype=np.float64))))


def _crossing(line: _Line, threshold: float) -> ConfluenceTime | NotYet:
    """Where the line, and both edges of its confidence band, reach the threshold."""
    if line.slope <= 0:
        return NotYet("confluence is not rising")
    rise = float(_occupancy(threshold)) - line.height
    early, late = _fieller(rise, line)
    return ConfluenceTime(
        estimate_h=line.mean_h + rise / line.slope,
        low_h=line.mean_h + early,
        high_h=line.mean_h + late,
        threshold=threshold,
        reached=False,
    )


def _fieller(rise: float, line: _Line) -> tuple[float, float]:
    """Fieller's interval of ``rise / slope``: roots of (rise - b x)^2 = h^2 + e^2 x^2."""
    square = line.slope**2 - line.slope_error**2
    spread = line.height_error**2 - rise**2
    discriminant = (line.slope * rise) ** 2 + square * spread
    root = math.sqrt(max(discriminant, 0.0))
    if square <= 0:
        return (line.slope * rise - root) / square if square else NAN, math.inf
    return (line.slope * rise - root) / square, (line.slope * rise + root) / square


def _scale(
    pooled: FloatArray, sums: FloatArray, n_counted: npt.NDArray[np.intp]
) -> float:
    """Factor from the chain to the plain sum where the most positions were counted."""
    chained = np.flatnonzero(pooled > 0)
    fullest = chained[n_counted[chained] == n_counted[chained].max()][-1]
    return float(sums[fullest] / pooled[fullest])
