"""How fast a culture grows: a doubling time with its interval, or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samcell_live.culture.trend import (
    FloatArray,
    Line,
    NotYet,
    first_lasting,
    fit_line,
    lacks_points,
)

MIN_FOLD = 1.5
"""Growth below which no doubling time is given."""
CROWDED = 0.7
"""Confluence from which neighbours are taken to slow each other down."""


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


def doubling_time(
    hours: npt.ArrayLike,
    counts: npt.ArrayLike,
    confluence: npt.ArrayLike | None = None,
    *,
    max_confluence: float = CROWDED,
) -> DoublingTime | NotYet:
    """Fit exponential growth to cell counts.

    A straight line is fitted to ln(count) by least squares. The window is all points
    up to the time when the culture becomes crowded: its confluence stays at or above
    `max_confluence` for two points running. Without `confluence` it is all points, and
    a culture that has stopped growing makes the doubling time too long.

    Parameters
    ----------
    hours : (n_timepoints,) float
        Culture time, ascending. NaN: the point is left out.
    counts : (n_timepoints,) float
        Cells. Missing or failed points are NaN; these and zeros, which have no
        logarithm, are left out.
    confluence : (n_timepoints,) float, optional
        0 to 1, NaN where unknown.
    max_confluence : float
        Where the window ends, on the same scale.

    Returns
    -------
    DoublingTime or NotYet
        The 95 % interval is Student's on the slope, widened where successive points
        err together; see `fit_line`. It is that of the fields seen: other fields of the
        same dish may grow differently.
        ``NotYet`` with fewer than 8 points or less than 1.5-fold growth.

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
        usable &= time < first_lasting(time, cover, max_confluence)
    time, log_count = time[usable], np.log(count[usable])
    lacking = lacks_points(time)
    if lacking is not None:
        return lacking
    line = fit_line(time, log_count)
    return _lacks_growth(line, float(np.ptp(time))) or _doubling(line, time)


def _lacks_growth(line: Line, span_h: float) -> NotYet | None:
    fold = math.exp(line.slope * span_h)
    if fold >= MIN_FOLD:
        return None
    reason = f"needs {MIN_FOLD}-fold growth; the fitted line shows {fold:.2f}-fold so far"
    if line.slope <= 0:
        return NotYet(reason)
    return NotYet(reason, math.log(MIN_FOLD) / line.slope - span_h)


def _doubling(line: Line, time: FloatArray) -> DoublingTime:
    start, end = float(time.min()), float(time.max())
    slowest = line.slope - line.slope_error
    return DoublingTime(
        estimate_h=math.log(2) / line.slope,
        low_h=math.log(2) / (line.slope + line.slope_error),
        high_h=math.log(2) / slowest if slowest > 0 else math.inf,
        window_start_h=start,
        window_end_h=end,
        n_points=time.size,
        count_at_start=math.exp(line.at(start)),
    )
