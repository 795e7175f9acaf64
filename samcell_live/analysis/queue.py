"""The work to do: frames that are on disk and have no committed result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Literal

from samcell_live.records import FrameKey
from samcell_live.store.processes import ACQUISITION
from samcell_live.store.reader import RunReader

POLL_S = 0.05


def waiting_frames(
    reader: RunReader,
    analysis: str,
    *,
    order: Literal["oldest", "newest"] = "oldest",
    follow: bool = False,
    is_over: Callable[[], bool] = lambda: False,
) -> Iterator[FrameKey]:
    """Give each waiting frame once, until there are none.

    Parameters
    ----------
    reader : RunReader
        The run.
    analysis : str
        Name of the analysis that has, or has not, a result for a frame.
    order : {"oldest", "newest"}
        Which of the waiting frames comes first.
    follow : bool
        Go on waiting for frames while the acquisition runs.
    is_over : callable, optional
        Once it says so, no more frames are given.

    Raises
    ------
    FileNotFoundError
        If the store is taken away meanwhile.
    """
    given: set[int] = set()
    while not is_over():
        # Asked before the frames are counted: none can come in between.
        no_more_come = not follow or acquisition_is_over(reader)
        slots = [int(slot) for slot in reader.waiting(analysis) if slot not in given]
        if slots:
            slot = slots[0] if order == "oldest" else slots[-1]
            given.add(slot)
            yield reader.plan.shape.key(slot)
        elif no_more_come:
            return
        else:
            time.sleep(POLL_S)


def acquisition_is_over(reader: RunReader) -> bool:
    """Whether no more frames will come: the acquisition ended, or died."""
    if not reader.path.is_dir():
        raise FileNotFoundError(f"{reader.path} is there no more.")
    state = reader.process(ACQUISITION)
    return state is not None and not state.is_alive(time.time())
