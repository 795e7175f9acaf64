"""What the map shows: the latest result of every place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from samcell_dashboard.colours import cividis, ink_on
from samcell_dashboard.sites import SiteMap, SiteState
from samcell_dashboard.snapshot import Grid
from samcell_live.records import NAN

UNLIKE_A_CULTURE = 0.5
"""Cell likeness below which a count is not to be trusted."""


def site_states(grid: Grid, places: SiteMap) -> list[SiteState]:
    """Give every site its latest confluence, its colour and its flag."""
    analysed_t = last_true(grid.analysed)
    failed_t = last_true(grid.failed)
    shown_t = np.where(
        np.maximum(analysed_t, failed_t) >= 0,
        np.maximum(analysed_t, failed_t),
        last_true(grid.acquired),
    )
    confluence = latest(grid.confluence, analysed_t)
    likeness = latest(grid.cell_likeness, analysed_t)
    states = []
    for i, site in enumerate(places.sites):
        views = list(site.views)
        known = confluence[views][np.isfinite(confluence[views])]
        value = round(float(np.median(known)), 4) if known.size else None
        fill = None if value is None else cividis(value)
        flag = ""
        if (failed_t[views] > analysed_t[views]).any():
            flag = "analysis failed"
        elif (likeness[views] < UNLIKE_A_CULTURE).any():
            flag = "does not look like a culture"
        shown = tuple(shown_t[views].tolist())
        states.append(SiteState(i, value, fill, ink_on(fill), flag, shown))
    return states


def last_true(marks: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """(n_views,) last marked timepoint of (n_timepoints, n_views); -1 if there is none.

    Examples
    --------
    >>> last_true(np.array([[True, False], [True, False], [False, False]])).tolist()
    [1, -1]
    """
    times = np.arange(len(marks))[:, np.newaxis]
    return np.asarray(np.where(marks, times, -1).max(axis=0))


def latest(
    values: npt.NDArray[np.float64], at: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """(n_views,) value of each view at its own timepoint; NaN where that is -1."""
    picked = values[at, np.arange(values.shape[1])]
    return np.where(at >= 0, picked, NAN)
