"""Where every frame of a run is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from samcell_dashboard.snapshot import Snapshot


class Account(NamedTuple):
    """The account of a run as the page shows it.

    ``expected = acquired + to_come + missing`` and
    ``acquired = analysed + failed + waiting``.
    """

    expected: int
    acquired: int
    to_come: int
    """Not acquired yet. While a run goes on, these are no loss."""
    missing: int
    """Passed over, or never acquired in a run that is over."""
    analysed: int
    waiting: int
    failed: int


def account(snapshot: Snapshot) -> Account:
    """Tell the frames that are still to come from those that are missing."""
    counts, frames = snapshot.counts, snapshot.frames
    n_to_come = 0
    if snapshot.is_acquiring:
        here = np.flatnonzero(frames["acquired"])
        newest = here[-1] if here.size else -1
        n_to_come = int(frames["expected"].to_numpy()[newest + 1 :].sum())
    return Account(
        expected=counts.expected,
        acquired=counts.acquired,
        to_come=n_to_come,
        missing=counts.missing - n_to_come,
        analysed=counts.analysed,
        waiting=counts.waiting,
        failed=counts.failed,
    )
