"""The work to do: frames that are on disk and have no committed result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Literal

from samcell_live.records import FrameKey
from samcell_live.store.processes import ACQUISITION
from samcell_live.store.reader import RunReader

POLL_S = 0.1
"""How often the store is looked at."""

GLANCE_S = 0.005
"""How often it is asked, for next to nothing, whether there is something new to look at."""


def waiting_frames(
    reader: RunReader,
    analysis: str,
    *,
    order: Literal["oldest", "newest"] = "oldest",
    follow: bool = False,
    is_over: Callable[[], bool] = lambda: False,
) -> Iterator[FrameKey]:
    """Give each waiting frame once, when all that it needs is there, until there are none.

    A frame of another channel needs the cells of the segmented one, and a stack all its
    planes; see `store.stacks`.

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
        last_news_ns = reader.last_acquired_ns()
        over = acquisition_is_over(reader)
        may_come = not over and (follow or reader.process(ACQUISITION) is not None)
        stacks = reader.stacks(analysis, may_come=may_come)
        slots = [int(slot) for slot in stacks.ready() if slot not in given]
        if slots:
            slot = slots[0] if order == "oldest" else slots[-1]
            given.add(slot)
            yield stacks.plan.shape.key(slot)
        elif (over or not follow) and (stacks.plan.is_plain or stacks.are_done(given)):
            return  # no result can make another frame ready
        else:
            _wait_for_news(reader, last_news_ns)


def _wait_for_news(reader: RunReader, last_ns: int) -> None:
    """Wait until a frame was acquired; for `POLL_S` at most, as a share may tell late."""
    until = time.monotonic() + POLL_S
    while reader.last_acquired_ns() == last_ns and time.monotonic() < until:
        time.sleep(GLANCE_S)


def acquisition_is_over(reader: RunReader) -> bool:
    """Whether no more frames will come: the acquisition ended, or died."""
    if not reader.path.is_dir():
        raise FileNotFoundError(f"{reader.path} is there no more.")
    state = reader.process(ACQUISITION)
    return state is not None and not state.is_alive(time.time())
