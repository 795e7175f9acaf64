"""Several positions as one culture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from samcell_live.culture.trend import FloatArray
from samcell_live.records import NAN


def pool_counts(counts: npt.ArrayLike) -> FloatArray:
    """Add up the cells of several positions, so that a gap does not look like death.

    Growth from one timepoint to the next is that of the positions counted at both.
    These steps are chained, and the chain is set to the plain sum at the last timepoint
    with the most positions. Where nothing is missing the result is the plain sum.

    Parameters
    ----------
    counts : (n_positions, n_timepoints) float
        NaN where a position was not acquired, or its analysis failed.

    Returns
    -------
    (n_timepoints,) float64
        NaN where no position was counted, or none that links it to the chain.

    Examples
    --------
    >>> pool_counts([[100, 200, 400], [10, np.nan, 40]]).tolist()
    [110.0, 220.0, 440.0]
    """
    table = np.asarray(counts, dtype=np.float64)
    counted = np.isfinite(table)
    n_counted = counted.sum(axis=0)
    sums = np.where(counted, table, 0).sum(axis=0)
    pooled = np.where((n_counted > 0) & (sums == 0), 0.0, NAN)
    base = None
    for now in np.flatnonzero(sums > 0):
        pooled[now] = (
            sums[now] if base is None else pooled[base] * _step(table[:, [base, now]])
        )
        if pooled[now] > 0:
            base = now
    return pooled if base is None else pooled * _scale(pooled, sums, n_counted)


def _step(pair: FloatArray) -> float:
    """Growth of the positions counted at both timepoints; NaN if there are none."""
    before, after = pair[np.isfinite(pair).all(axis=1)].sum(axis=0)
    return float(after / before) if before > 0 else NAN


def _scale(pooled: FloatArray, sums: FloatArray, n_counted: npt.NDArray[np.intp]) -> float:
    """Factor from the chain to the plain sum where the most positions were counted."""
    chained = np.flatnonzero(pooled > 0)
    fullest = chained[n_counted[chained] == n_counted[chained].max()][-1]
    return float(sums[fullest] / pooled[fullest])
