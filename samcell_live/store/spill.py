"""Raw frames that are kept elsewhere: ours are removed once they are analysed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from samcell_live.store import layout
from samcell_live.store.arrays import open_array, read, wait
from samcell_live.store.frames import frame_file
from samcell_live.store.reader import RunReader
from samcell_live.store.results import ANALYSED


class Spill:
    """Removes the raw frames of a run as their results become safe.

    For the acquisition alone, which owns them. A frame is marked removed before it is: a
    frame that is gone and not marked was damaged by somebody else. Frames without a
    result stay, so that the reason can be looked at.

    Parameters
    ----------
    path : Path
        The run store.
    analysis : str
        Analysis whose results have to be safe.
    """

    def __init__(self, path: Path, analysis: str) -> None:
        self._reader = RunReader(path)
        self._analysis = analysis

    def sweep(self, *, may_come: bool) -> int:
        """Remove what can be removed now; gives the number of frames.

        A frame is needed until everything of its place and time is done: stacks are looked
        at whole, and cells are measured in all channels.

        Parameters
        ----------
        may_come : bool
            Whether the acquisition goes on.
        """
        reader = self._reader
        committed = reader.committed(self._analysis)
        stacks = reader.stacks(self._analysis, may_come=may_come)
        needed = stacks.awaited | (stacks.acquired & ~stacks.done)
        place_is_needed = needed.any(axis=(3, 4, 5), keepdims=True)
        is_free = (stacks.acquired & ~place_is_needed).ravel()
        is_free[: len(committed)] &= (committed == ANALYSED)[: len(is_free)]
        is_free[len(committed) :] = False
        column = open_array(reader.path / layout.frame_column("removed"))
        slots = np.flatnonzero(is_free & (read(column)[: len(is_free)] == 0))
        if len(slots):
            wait(column[slots].write(np.uint8(1)))
        for slot in slots:
            self._remove(int(slot))
        return len(slots)

    def _remove(self, slot: int) -> None:
        plan = self._reader.plan
        key = plan.shape.key(slot)
        frame_file(self._reader.path, plan, key).unlink(missing_ok=True)
