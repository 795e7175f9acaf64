"""Between the camera and the disk: a thread that writes, and a bound on what waits."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from samcell_live.records import Frame

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 8
"""Frames that wait are written together: side by side a disk takes more of them."""

MOST_UNDER_WAY = 2
"""While frames are marked, those after them are compressed and written."""

CAMERA_FIRST_S = 0.003
"""Writing begins this much after a frame came: until then the thread that handed it over,
which is the camera's, is on its way to the next exposure. Where processors are few it would
wait there for those who write, several times as long."""

RETRY_S = 1.0
GIVE_UP_S = 60.0
"""After the run has ended, a frame that cannot be written is tried for this long."""


Finish: TypeAlias = Callable[[], None]
"""Waits until frames whose writing has begun are safe and marked, or raises."""


@dataclass(slots=True)
class SpoolHealth:
    """What became of the frames offered so far."""

    offered: int = 0
    written: int = 0
    written_in_place: int = 0
    """Frames that the acquisition thread had to write itself, because memory was full."""
    lost: int = 0
    """Frames that do not fit the run, or that the disk never took."""
    last_error: str = ""


class Spool:
    """Writes frames in a thread of its own, so that the camera does not wait.

    What comes first is finished first: no frame can be seen before one that the thread
    took earlier.

    Parameters
    ----------
    begin : callable
        Begins to write the frames that it is given durably, and returns what waits until
        they are safe; either may raise.
    budget_bytes : int
        Frames that wait for the disk hold at most this much memory. Past that,
        `offer` writes the frame itself: the acquisition slows and loses nothing.
    """

    def __init__(self, begin: Callable[..., Finish], budget_bytes: int) -> None:
        self.health = SpoolHealth()
        self._begin = begin
        self._budget_bytes = budget_bytes
        self._waiting: deque[Frame] = deque()
        """Frames that are not safe yet; the first of them are under way."""
        self._under_way: deque[tuple[list[Frame], Finish]] = deque()
        self._waiting_bytes = 0
        self._last_came_s = 0.0
        self._changed = threading.Condition()
        self._closing = False
        self._deadline_s = float("inf")
        self._thread = threading.Thread(target=self._run, name="raw-writer", daemon=True)
        self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        """Memory held by frames that are not on disk yet."""
        return self._waiting_bytes

    def offer(self, frame: Frame) -> None:
        """Hand a frame over; returns at once unless the memory budget is spent.

        The spool keeps a reference. pymmcore-plus hands every image out once, in memory
        of its own, so it is not copied again.
        """
        with self._changed:
            self.health.offered += 1
            if self._waiting_bytes + frame.pixels.nbytes <= self._budget_bytes:
                self._waiting.append(frame)
                self._waiting_bytes += frame.pixels.nbytes
                self._last_came_s = time.monotonic()
                self._changed.notify_all()
                return
            self.health.written_in_place += 1
        self._write(frame)

    def give_up_after(self, seconds: float) -> None:
        """Try a frame that cannot be written for this much longer, and then lose it.

        While an acquisition runs it is tried for ever: the disk may come back.
        """
        with self._changed:
            self._deadline_s = min(self._deadline_s, time.monotonic() + seconds)

    def close(self) -> None:
        """Take no more frames, write those that wait, and return when all are safe."""
        self.give_up_after(GIVE_UP_S)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                frames = self._next_frames()
            if frames:
                time.sleep(max(0.0, self._last_came_s + CAMERA_FIRST_S - time.monotonic()))
                self._under_way.append((frames, self._begun(frames)))
            else:
                self._finish(*self._under_way.popleft())

    def _next_frames(self) -> list[Frame]:
        """Frames whose writing is to begin now; none if others are to be finished first."""
        if len(self._under_way) == MOST_UNDER_WAY:
            return []
        n_begun = sum(len(frames) for frames, _ in self._under_way)
        return list(islice(self._waiting, n_begun, n_begun + MOST_AT_ONCE))

    def _begun(self, frames: list[Frame]) -> Finish:
        """Begin to write frames; where that fails it is done when they are finished."""
        try:
            return self._begin(*frames)
        except Exception:  # noqa: BLE001 - raised again then
            return lambda: self._begin(*frames)()

    def _finish(self, frames: list[Frame], finish: Finish) -> None:
        """Wait until frames are safe; those that could not be written are tried alone."""
        try:
            finish()
        except Exception:  # which one it was is not known; its own error is told then
            logger.warning("Could not write %d frames at once", len(frames), exc_info=True)
            for frame in frames:
                self._write(frame)
        else:
            with self._changed:
                self.health.written += len(frames)
        with self._changed:
            for frame in frames:
                self._waiting.popleft()
                self._waiting_bytes -= frame.pixels.nbytes

    def _write(self, frame: Frame) -> None:
        while True:
            try:
                self._begin(frame)()
            except OSError as error:  # disk full, or a share that is away: it may come back
                logger.warning("Could not write %s", frame.key, exc_info=True)
                self.health.last_error = f"{frame.key}: {error}"
                if time.monotonic() + RETRY_S > self._deadline_s:
                    break
                time.sleep(RETRY_S)
            except Exception as error:  # a frame that does not fit must not end the run
                logger.warning("Could not write %s", frame.key, exc_info=True)
                self.health.last_error = f"{frame.key}: {error}"
                break
            else:
                with self._changed:
                    self.health.written += 1
                return
        with self._changed:
            self.health.lost += 1
