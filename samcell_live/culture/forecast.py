"""When a culture will be full, with a range, or why that cannot be told."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samcell_live.culture.trend import (
    MIN_POINTS,
    FloatArray,
    Line,
    NotYet,
    first_lasting,
    fit_line,
    lacks_points,
)


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


def time_to_confluence(
    hours: npt.ArrayLike,
    confluence: npt.ArrayLike,
    threshold: float = 0.8,
    *,
    recent_h: float = 24.0,
) -> ConfluenceTime | NotYet:
    """Forecast when a culture passes a confluence.

    N cells that lie at random cover 1 - exp(-a N) of the field, so ln(-ln(1 - C)) rises
    by a straight line while N grows exponentially. That line is fitted to the last
    `recent_h` hours (at least the last 8 points) and carried on. The range is where its
    95 % confidence band crosses the threshold. It knows nothing of contact inhibition
    or medium changes, and has not been calibrated on past runs.

    Parameters
    ----------
    hours, confluence : (n_timepoints,) float
        Culture time, ascending, and the covered fraction, 0 to 1. Points that are NaN,
        or completely empty or full, are left out of the fit.
    threshold : float
        Confluence to reach, above 0 and below 1.
    recent_h : float
        How far back the fit looks.

    Returns
    -------
    ConfluenceTime or NotYet
        The same clock as `hours`. Once two points in a row are at the threshold, the
        time of the first of them.

    Raises
    ------
    ValueError
        If the threshold is not between 0 and 1.
    """
    if not 0 < threshold < 1:
        raise ValueError(
            f"The threshold is {threshold}, but confluence is a fraction above 0 and "
            "below 1. Give 0.8 for 80 %."
        )
    time = np.asarray(hours, dtype=np.float64)
    cover = np.asarray(confluence, dtype=np.float64)
    passed_h = first_lasting(time, cover, threshold)
    if math.isfinite(passed_h):
        return ConfluenceTime(passed_h, passed_h, passed_h, threshold, reached=True)
    usable = np.isfinite(time) & (cover > 0) & (cover < 1)
    time, cover = time[usable], cover[usable]
    lacking = lacks_points(time)
    if lacking is not None:
        return lacking
    recent = time >= min(time[-1] - recent_h, time[-MIN_POINTS])
    line = fit_line(time[recent], _occupancy(cover[recent]))
    if line.slope <= 0:
        return NotYet("confluence is not rising")
    early_h, middle_h, late_h = np.maximum(_crossings(line, threshold), time[-1])
    return ConfluenceTime(
        float(middle_h), float(early_h), float(late_h), threshold, reached=False
    )


def _occupancy(cover: npt.ArrayLike) -> FloatArray:
    """ln(-ln(1 - C)): the log of cells per area, up to a constant."""
    return np.asarray(np.log(-np.log1p(-np.asarray(cover, dtype=np.float64))))


def _crossings(line: Line, threshold: float) -> tuple[float, float, float]:
    """Times when the band's upper edge, the line and its lower edge reach the threshold.

    With rise r, slope b and errors h, e these are the roots of
    (r - b x)^2 = h^2 + (e x)^2: Fieller's interval of r / b.
    """
    rise = float(_occupancy(threshold)) - line.height
    middle = line.mean_h + rise / line.slope
    if rise <= line.height_error:  # the band is there already
        return -math.inf, middle, math.inf
    gap = rise**2 - line.height_error**2
    square = line.slope**2 - line.slope_error**2
    along = line.slope * rise
    root = math.sqrt((line.slope * line.height_error) ** 2 + line.slope_error**2 * gap)
    late = line.mean_h + (along + root) / square if square > 0 else math.inf
    return line.mean_h + gap / (along + root), middle, late
