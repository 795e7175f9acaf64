"""Changing a sequence while it runs: between its scans, and in the microscope's thread.

The sequence itself stays what it was, so that listeners know its axes. pymmcore-plus asks
its engine for the events one by one; here they are held until their scan is due, so that
what was decided meanwhile counts for the very next scan.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, Protocol, TypeAlias

from useq import MDAEvent, MDASequence

from samcell_live.microscope.remaining import beginning_at, delayed, due_s

POLL_S = 0.1
LATE_S = 1.0
"""A scan that is later than this begins now; the next one counts from it."""


Iterate: TypeAlias = Callable[[list[MDAEvent]], Iterable[MDAEvent]]


Report: TypeAlias = Callable[[Exception | None], None]
"""Told how it went: what was raised, or None."""


class Errand(Protocol):
    """Something to do between two scans, in the microscope's thread; it never raises."""

    report: Report

    def begin(self) -> list[MDAEvent]:
        """Do it, or give the events that are to be acquired for it."""

    def end(self) -> None:
        """Know that they were acquired, or never will be."""


class Steering:
    """What is still to be acquired. Any thread may change it.

    What is decided holds from the next scan on: the one at hand is completed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_t = -1
        self._skipped: frozenset[int] = frozenset()
        self._is_stopped = False
        self._errands: deque[Errand] = deque()
        self.interval_s: float | None = None
        """Time between scans on the sequence's clock; None: as it was planned."""

    def skip(self, positions: Collection[int]) -> int:
        """Acquire nothing more at these positions; gives the last timepoint that is."""
        with self._lock:
            self._skipped |= frozenset(positions)
            return self._last_t

    def stop(self) -> int:
        """Acquire nothing more at all; gives the last timepoint that is."""
        with self._lock:
            self._is_stopped = True
            return self._last_t

    def do_between_scans(self, errand: Errand) -> None:
        """Have something done before the next scan."""
        self._errands.append(errand)

    @property
    def is_stopped(self) -> bool:
        """Whether no more scans come."""
        return self._is_stopped

    def next_errand(self) -> Errand | None:
        """Take the oldest thing to do."""
        return self._errands.popleft() if self._errands else None

    def hand_out(self, t: int, scan: Sequence[MDAEvent]) -> list[MDAEvent]:
        """Give what is to be acquired of a scan that is due; from here on it is."""
        with self._lock:
            if self._is_stopped:
                return []
            self._last_t = t
            return [event for event in scan if event.index.get("p", 0) not in self._skipped]


def refuse_unsteerable(sequence: MDASequence) -> None:
    """See that a sequence acquires one scan after another.

    Raises
    ------
    ValueError
        If it does not: there is then no time between scans.
    """
    times = [event.index.get("t", 0) for event in sequence]
    if times != sorted(times):
        raise ValueError(
            f"The rules act between scans, but with the axis_order "
            f"{''.join(sequence.axis_order)!r} time starts again at each position. "
            "Put t first, or leave the rules out."
        )


@contextmanager
def steered(core: Any, steering: Steering) -> Iterator[None]:
    """Have a core acquire its sequences in this block as they are steered."""
    engine = core.mda.engine
    iterate = engine.event_iterator

    def event_iterator(events: Iterable[MDAEvent]) -> Iterator[MDAEvent]:
        return steer(events, steering, core.mda, iterate)

    # The attribute of the one engine hides the method of its class.
    engine.event_iterator = event_iterator
    try:
        yield
    finally:
        del engine.event_iterator


def steer(
    events: Iterable[MDAEvent],
    steering: Steering,
    runner: Any,
    iterate: Iterate = iter,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Generator[MDAEvent, None, None]:
    """Give the events of a sequence, each scan when it is due.

    Parameters
    ----------
    events : iterable of useq.MDAEvent
        Scan by scan.
    steering : Steering
        What is decided meanwhile.
    runner : pymmcore_plus.mda.MDARunner
        Has the clock, and is told of the waiting as by itself.
    iterate : callable
        Gives the events of one scan; joins those that hardware can acquire in a burst.
    sleep : callable
        Passes time.
    """
    clock = _Clock(runner, sleep)
    for t, members in groupby(events, key=lambda event: event.index.get("t", 0)):
        scan = list(members)
        ahead_s = due_s(scan[0]) - _planned_s(scan[0])  # of a run that goes on
        while not steering.is_stopped and clock.wait(scan[0], steering.interval_s):
            yield from _errands(steering, clock.now_s(), ahead_s, iterate)
        yield from _errands(steering, clock.now_s(), ahead_s, iterate)
        due = steering.hand_out(t, scan)
        if steering.is_stopped:
            return
        late_s = clock.begin(scan[0], steering.interval_s)
        yield from iterate([delayed(event, late_s) for event in due])


def _errands(
    steering: Steering, now_s: float, ahead_s: float, iterate: Iterate
) -> Iterator[MDAEvent]:
    while (errand := steering.next_errand()) is not None:
        try:
            yield from iterate(
                [beginning_at(one, now_s, now_s + ahead_s) for one in errand.begin()]
            )
        finally:
            errand.end()


class _Clock:
    """When scans are due on the clock of a running sequence."""

    def __init__(self, runner: Any, sleep: Callable[[float], None]) -> None:
        self._runner = runner
        self._sleep = sleep
        self._paused_s = 0.0
        self._last_due_s: float | None = None

    def now_s(self) -> float:
        """Seconds on the sequence's clock."""
        return float(self._runner.event_seconds_elapsed())

    def wait(self, event: MDAEvent, interval_s: float | None) -> bool:
        """Wait a moment for a scan; False if it is due, or the run was cancelled.

        It is then still to be handed out: the runner notices by itself, and says that it
        was cancelled, only while it has an event in hand.
        """
        if self._runner.is_paused():
            self._paused_s += POLL_S
            self._sleep(POLL_S)
            return True
        remaining_s = self._due_s(event, interval_s) - self.now_s()
        if remaining_s <= 0 or not self._runner.is_running():
            return False
        self._runner.events.awaitingEvent.emit(event, remaining_s)
        self._sleep(min(remaining_s, POLL_S))
        return True

    def begin(self, event: MDAEvent, interval_s: float | None) -> float:
        """Note that a scan begins; gives how much later than it was planned."""
        due_s, now_s = self._due_s(event, interval_s), self.now_s()
        is_ours = interval_s is not None and self._last_due_s is not None
        self._last_due_s = now_s if is_ours and now_s > due_s + LATE_S else due_s
        return self._last_due_s - _planned_s(event)

    def _due_s(self, event: MDAEvent, interval_s: float | None) -> float:
        if interval_s is None or self._last_due_s is None:
            return _planned_s(event) + self._paused_s
        return self._last_due_s + interval_s


def _planned_s(event: MDAEvent) -> float:
    return event.min_start_time or 0.0
