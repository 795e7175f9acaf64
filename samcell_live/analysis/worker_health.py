"""What a worker says of itself: which frames it has in hand, and how fast it is."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Container

from samcell_live.store.processes import ProcessState

FATAL_ATTEMPTS = 2
"""A frame that ends the worker this often is marked failed."""

LOOK_S = 0.5
"""How often a wait looks whether it still has a reason."""


class WorkerHealth:
    """How the worker does; written with its heartbeat.

    Parameters
    ----------
    clock_s : callable
        Seconds that only go on.
    """

    def __init__(self, clock_s: Callable[[], float] = time.perf_counter) -> None:
        self.model = ""
        self.device = ""
        self.attempts: dict[int, int] = {}
        """Slots in hand when a worker died, and how often one died on that slot alone."""
        self.seconds_per_frame = math.nan
        """Moving mean over the last few frames, while there was one in hand."""
        self._clock_s = clock_s
        self._begun_s: dict[int, float] = {}
        self._last_done_s = -math.inf
        self._changed = threading.Condition()

    def begin(self, slot: int) -> None:
        """Know that a frame is in hand from now on."""
        with self._changed:
            self._begun_s[slot] = self._clock_s()

    def done(self, slot: int) -> None:
        """Count the time of a frame that is no longer in hand."""
        with self._changed:
            now_s = self._clock_s()
            # Of frames that are worked on side by side, only what each one adds.
            taken_s = now_s - max(self._begun_s.pop(slot), self._last_done_s)
            if math.isnan(self.seconds_per_frame):
                self.seconds_per_frame = taken_s
            self.seconds_per_frame += 0.2 * (taken_s - self.seconds_per_frame)
            self._last_done_s = now_s
            self.attempts.pop(slot, None)
            self._changed.notify_all()

    def wait_until_idle(self) -> None:
        """Wait until no frame is in hand."""
        with self._changed:
            while self._begun_s:
                self._changed.wait(LOOK_S)

    def figures(self) -> dict[str, float | str | None]:
        """Plain values for the process record."""
        with self._changed:
            return {
                "attempting": " ".join(map(str, self._begun_s)),
                "attempts": json.dumps(self.attempts),
                "model": self.model,
                "device": self.device,
                "seconds_per_frame": (
                    None
                    if math.isnan(self.seconds_per_frame)
                    else round(self.seconds_per_frame, 4)
                ),
            }


def earlier_deaths(last: ProcessState | None, waiting: Container[int]) -> dict[int, int]:
    """Tell from the record of the last worker which frames it, or one before, died on.

    Of several frames in hand any may have been the cause, or none. They are in the answer
    with the deaths that are theirs for certain: those when one of them was alone in hand.

    Parameters
    ----------
    last : ProcessState or None
        Record of the last worker.
    waiting : container of int
        Slots that have no result: a frame whose result is there cannot have been the cause.

    Returns
    -------
    dict
        From the slot to the number of deaths when it was alone in hand.
    """
    if last is None:
        return {}
    known = json.loads(str(last.health.get("attempts", "{}")))
    attempts = {int(slot): int(n) for slot, n in known.items() if int(slot) in waiting}
    if last.state != "running":
        return attempts
    named = map(int, str(last.health.get("attempting", "")).split())
    in_hand = [slot for slot in named if slot in waiting]
    for slot in in_hand:
        attempts[slot] = attempts.get(slot, 0) + (len(in_hand) == 1)
    return attempts
