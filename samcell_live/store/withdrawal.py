"""Frames that were planned and are not to come any more."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from samcell_live.store import layout
from samcell_live.store.arrays import open_array, read, wait
from samcell_live.store.create import NOT_EXPECTED
from samcell_live.store.reader import RunReader


def withdraw(path: Path, *, after_t: int, positions: Collection[int] | None = None) -> int:
    """Expect no more frames after a timepoint: those that do not come are not missing.

    To be called by the acquisition, which owns this column.

    Parameters
    ----------
    path : Path
        The run store.
    after_t : int
        The last timepoint that is still acquired.
    positions : collection of int, optional
        Only frames at these positions; by default at all.

    Returns
    -------
    int
        Frames that are not to come any more.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    frames = RunReader(path).frames()
    gone = frames["expected"] & ~frames["acquired"] & (frames["t"] > after_t)
    if positions is not None:
        gone &= frames["p"].isin(list(positions))
    rank = open_array(path / layout.frame_column("rank"))
    wait(rank.write(np.where(gone, NOT_EXPECTED, read(rank)).astype(np.int32)))
    return int(gone.sum())
