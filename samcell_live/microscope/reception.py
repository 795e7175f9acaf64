"""Taking in the frames of one acquisition, also before there is a store for them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from useq import MDAEvent

from samcell_live.analysis.live_run import LiveRun
from samcell_live.records import Frame, FrameKey
from samcell_live.store.processes import State

logger = logging.getLogger(__name__)

QUIET_S = 30.0
"""A first scan of unknown extent is taken for complete when nothing came for this long."""

Begin: TypeAlias = Callable[[Frame, MDAEvent, Sequence[MDAEvent]], LiveRun]
"""Makes a run from its first frame, the event that brought it and, where the axes are
unknown, an event of each place that was seen."""


class Numbering:
    """Gives every frame of a run of unknown length a key of its own.

    Events that somebody makes up while a run goes on may have no timepoint, or the same
    one again: the second frame of a place is then its next timepoint. Nothing that was
    acquired is overwritten.
    """

    def __init__(self) -> None:
        self._next_t: dict[FrameKey, int] = {}
        self._taken: set[FrameKey] = set()

    def key(self, index: Mapping[str, int]) -> FrameKey:
        """Key of the next frame with this index.

        Examples
        --------
        >>> numbering = Numbering()
        >>> [numbering.key({"t": 5}).t, numbering.key({"t": 5}).t, numbering.key({}).t]
        [5, 6, 7]
        """
        key = FrameKey.from_index(index)
        place = key._replace(t=0)
        if "t" not in index or key in self._taken:
            key = key._replace(t=self._next_t.get(place, 0))
        self._next_t[place] = max(self._next_t.get(place, 0), key.t + 1)
        self._taken.add(key)
        return key


class Reception:
    """Takes the frames of one acquisition from the first that is heard of to its end.

    Where the start of the acquisition was heard, its run is there before its first frame.
    Otherwise the run is made in a thread of its own while frames are held in memory,
    since the camera does not wait; where even the axes are unknown, they are held until
    the first scan is complete.

    Parameters
    ----------
    begin : callable
        Makes the run. May raise; then nothing is recorded, and `refusal` says why.
    budget_bytes : int
        Frames hold at most this much memory before there is a store; beyond it the
        acquisition waits until there is.
    is_open : bool
        The axes of the acquisition are not known beforehand.
    """

    def __init__(
        self, begin: Begin, *, budget_bytes: int, is_open: bool, run: LiveRun | None = None
    ) -> None:
        self.refusal: Exception | None = None
        self.n_refused = 0
        """Frames that came for a store that could not be made."""
        self._run = run
        self._begin = begin
        self._budget_bytes = budget_bytes
        self._is_open = is_open
        self._numbering = Numbering()
        self._places: dict[FrameKey, MDAEvent] = {}
        """An event of each place that was seen; the keys are those of timepoint 0."""
        self._held: list[Frame] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._end: tuple[State, str] | None = None

    def key(self, event: MDAEvent) -> FrameKey:
        """Key of the frame that an event brought."""
        if self._is_open:
            return self._numbering.key(event.index)
        return FrameKey.from_index(event.index)

    def take(self, frame: Frame, event: MDAEvent) -> None:
        """Take one frame, or count it if it cannot be recorded."""
        with self._changed:
            if self.refusal is not None:
                self.n_refused += 1
                return
            self._places.setdefault(frame.key._replace(t=0), event)
            self._deliver(frame)
            self._changed.wait_for(lambda: self._held_bytes() <= self._budget_bytes)

    def finish(self, state: State, message: str = "") -> None:
        """Say that no more frames come; returns at once."""
        with self._changed:
            self._end = (state, message)
            self._changed.notify_all()
            if self._run is not None:
                self._run.finish(state, message)

    def settle(self) -> None:
        """Wait until every frame that was held has its store, after `finish`."""
        while (thread := self._opener()) is not None:
            thread.join()

    def _opener(self) -> threading.Thread | None:
        with self._changed:
            return self._thread

    def _deliver(self, frame: Frame) -> None:
        if self._run is not None and self._is_open:
            self._go_on_elsewhere(self._run, frame)
        if self._run is not None:
            self._run.offer(frame)
            return
        self._held.append(frame)
        self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._open, name="run-opener")
            self._thread.start()

    def _go_on_elsewhere(self, run: LiveRun, frame: Frame) -> None:
        """Begin a further run where the one at hand has no place for a frame."""
        if not run.plan.has_place_for(frame.key):
            logger.warning(
                "%s lies outside the axes of %s: the acquisition goes on in a run of its "
                "own.",
                frame.key,
                run.path,
            )
            run.finish("finished", f"{frame.key} lay outside its axes; see the next run")
            self._run = None

    def _open(self) -> None:
        with self._changed:
            self._await_the_axes()
            first, seen = self._held[0], list(self._places.values())
        try:
            run = self._begin(first, seen[0], seen if self._is_open else ())
        except Exception as error:  # the camera never sees it; nothing is recorded
            logger.exception("No run could be made for %s", first.key)
            self._refuse(error)
            return
        with self._changed:
            self._run, self._thread = run, None
            held, self._held = self._held, []
            for frame in held:
                self._deliver(frame)
            self._changed.notify_all()
            if self._end is not None and self._run is not None:
                self._run.finish(*self._end)

    def _await_the_axes(self) -> None:
        while not self._axes_are_known():
            if not self._changed.wait(QUIET_S):
                return

    def _axes_are_known(self) -> bool:
        return (
            not self._is_open
            or self._end is not None
            or self._held[-1].key.t > self._held[0].key.t
            or next(iter(self._places.values())).sequence is not None
            or self._held_bytes() > self._budget_bytes
        )

    def _refuse(self, error: Exception) -> None:
        with self._changed:
            self.refusal = error
            self.n_refused += len(self._held)
            self._held, self._thread = [], None
            self._changed.notify_all()

    def _held_bytes(self) -> int:
        return sum(frame.pixels.nbytes for frame in self._held)
