"""A straight line through a growth series, with what its intervals need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.polynomial.polynomial import polyfit, polyval
from scipy.special import stdtrit  # not scipy.stats, which is slow to import

from samcell_live.records import NAN

MIN_POINTS = 8
"""Timepoints below which no growth is fitted."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NotYet:
    """Why there is no number, in words for the dashboard."""

    reason: str
    hours_more: float = NAN
    """Roughly how much longer to wait; NaN if that cannot be told."""


class Line(NamedTuple):
    """A least-squares line, written around the mean time of its points."""

    slope: float
    """Per hour."""
    height: float
    """At the mean time."""
    mean_h: float
    slope_error: float
    """Half-width of the slope's 95 % interval."""
    height_error: float
    """The same of `height`."""

    def at(self, hours: float) -> float:
        """Height of the line at one time."""
        return self.height + self.slope * (hours - self.mean_h)


def fit_line(hours: FloatArray, values: FloatArray) -> Line:
    """Fit by ordinary least squares; the intervals are Student's t.

    A field that has more cells than the line at one time has more at the next, too, so
    the points are not independent. The intervals count only as many points as would
    tell as much if they were: n (1 - r) / (1 + r), with r the correlation of successive
    residuals (B. D. Santer et al., J. Geophys. Res. 105, 7337, 2000).

    Parameters
    ----------
    hours, values : (n_points,) float64
        At least 3 points in order of time, not all at one time, none of them NaN.
    """
    mean_h = float(hours.mean())
    height, slope = polyfit(hours - mean_h, values, 1)
    residuals = values - polyval(hours - mean_h, (height, slope))
    freedom = _n_independent(residuals) - 2
    scatter = math.sqrt(float((residuals**2).sum()) / freedom)
    error = float(stdtrit(freedom, 0.975)) * scatter / math.sqrt(hours.size)
    return Line(
        slope=float(slope),
        height=float(height),
        mean_h=mean_h,
        slope_error=error / float(hours.std()),
        height_error=error,
    )


def _n_independent(residuals: FloatArray) -> float:
    """Points that would tell as much if they were independent; 3 at the least."""
    power = float((residuals**2).sum())
    if power == 0:
        return residuals.size
    together = max(float((residuals[1:] * residuals[:-1]).sum()) / power, 0.0)
    return max(residuals.size * (1 - together) / (1 + together), 3.0)


def first_lasting(hours: FloatArray, values: FloatArray, limit: float) -> float:
    """Time of the first two measured points in a row at or above a limit.

    One point alone may be a frame that was segmented badly.

    Returns
    -------
    float
        Hours; infinite where the values never stay above the limit.
    """
    measured = np.isfinite(hours) & np.isfinite(values)
    above = values[measured] >= limit
    lasting = np.flatnonzero(above[:-1] & above[1:])
    return float(hours[measured][lasting[0]]) if lasting.size else math.inf


def lacks_points(hours: FloatArray) -> NotYet | None:
    """Ask for more timepoints where there are fewer than 8."""
    n_points = np.unique(hours).size
    if n_points >= MIN_POINTS:
        return None
    step_h = float(np.median(np.diff(hours))) if n_points > 1 else NAN
    return NotYet(
        f"needs {MIN_POINTS} timepoints with cells; there are {n_points} so far",
        (MIN_POINTS - n_points) * step_h,
    )
