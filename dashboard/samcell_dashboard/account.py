"""Where every frame of a run is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


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


def ahead(
    acquired: npt.NDArray[np.bool_], rank: npt.NDArray[np.int32]
) -> npt.NDArray[np.bool_]:
    """(n_slots,) frames of higher rank than any that was acquired: not passed over yet.

    Parameters
    ----------
    acquired : (n_slots,) bool
        Frames on disk.
    rank : (n_slots,) int32
        Place of each frame in the acquisition, -1 where none is expected.

    Examples
    --------
    >>> ahead(np.array([True, False, True, False]), np.array([0, 1, 2, 3])).tolist()
    [False, False, False, True]
    """
    return np.asarray(rank > rank[acquired].max(initial=-1))


def account(
    acquired: npt.NDArray[np.bool_],
    rank: npt.NDArray[np.int32],
    *,
    is_acquiring: bool,
    n_analysed: int,
    n_failed: int,
) -> Account:
    """Tell the frames that are still to come from those that are missing.

    Parameters
    ----------
    acquired, rank
        As for `ahead`. They are to be read after the results, so that a result never
        outnumbers its frame.
    is_acquiring : bool
        Whether the acquisition goes on.
    n_analysed, n_failed : int
        Frames with a result, and frames without one for good.
    """
    n_expected = int(np.count_nonzero((rank >= 0) | acquired))
    n_acquired = int(np.count_nonzero(acquired))
    n_to_come = int(np.count_nonzero(ahead(acquired, rank))) if is_acquiring else 0
    return Account(
        expected=n_expected,
        acquired=n_acquired,
        to_come=n_to_come,
        missing=n_expected - n_acquired - n_to_come,
        analysed=n_analysed,
        waiting=n_acquired - n_analysed - n_failed,
        failed=n_failed,
    )
