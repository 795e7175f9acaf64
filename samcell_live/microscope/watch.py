"""Looking after an acquisition: room on the disk, and frames that stay out."""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from samcell_live.analysis.live_run import LiveRun
from samcell_live.store.alerts import patience_s, silence_s

logger = logging.getLogger(__name__)

LOOK_S = 1.0
GO_ON_AT = 1.5
"""A paused acquisition goes on when there is this much more room than it was paused at."""

_PYTHON = str(Path(threading.__file__).parent)
"""Python's own modules wait for others; who called them is of interest."""


class Watch:
    """Pauses the acquisition of a core before the disk is full, and notes where it hangs.

    What it finds goes into the health of the run, where `store.alerts` reads it.

    Parameters
    ----------
    core : pymmcore_plus.CMMCorePlus
        Whose acquisition is paused.
    runs : callable
        Gives the runs that are being acquired.
    keep_free_bytes : int
        The acquisition is paused while the disk has less room than this.
    free_bytes : callable
        Room on the disk of a path, in bytes.
    """

    def __init__(
        self,
        core: Any,
        runs: Callable[[], Sequence[LiveRun]],
        keep_free_bytes: int,
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        self._core = core
        self._runs = runs
        self._keep_free_bytes = keep_free_bytes
        self._free_bytes = free_bytes
        self._camera_thread = 0
        self._paused_by_us = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_looking, name="run-watch")
        self._thread.daemon = True
        self._thread.start()

    def frame_came(self) -> None:
        """Know that a frame came; called in the camera's thread."""
        self._camera_thread = threading.get_ident()

    def awaiting(self, remaining_s: float) -> None:
        """Know in how many seconds the next frame is due; called in the camera's thread."""
        self._camera_thread = threading.get_ident()
        for run in self._runs():
            run.notes["next_due_s"] = time.time() + remaining_s

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def look(self) -> None:
        """Look once: pause or go on, and note what is the matter."""
        runs = self._runs()
        if not self._is_paused():
            self._paused_by_us = False  # somebody went on, or another run began
        reason = next(filter(None, map(self._short_of_room, runs)), "")
        self._pause(reason)
        if not reason and self._is_paused():
            reason = "by hand, in the program that runs the microscope"
        for run in runs:
            run.notes["paused"] = reason
            is_silent = silence_s(run.notes, time.time()) > patience_s(run.plan)
            run.notes["at_work_in"] = self._place() if is_silent else ""

    def _keep_looking(self) -> None:
        while not self._over.wait(LOOK_S):
            try:
                self.look()
            except Exception:  # looking after a run must never harm it
                logger.exception("A look at the acquisition failed")

    def _short_of_room(self, run: LiveRun) -> str:
        """Say how little room the disk has; empty if there is enough."""
        try:
            free = self._free_bytes(run.path)
        except OSError as error:
            return f"the store cannot be reached: {error}"
        run.notes["disk_free_mb"] = round(free / 2**20)
        wanted = self._keep_free_bytes * (GO_ON_AT if self._paused_by_us else 1)
        if free >= wanted:
            return ""
        return (
            f"the disk has {free / 2**20:,.0f} MB of room left; it goes on when there are "
            f"{self._keep_free_bytes * GO_ON_AT / 2**20:,.0f} MB"
        )

    def _pause(self, reason: str) -> None:
        if reason and not self._is_paused():
            logger.warning("The acquisition is paused: %s", reason)
            self._core.mda.set_paused(True)
            self._paused_by_us = True
        elif not reason and self._paused_by_us:
            logger.warning("The acquisition goes on")
            self._core.mda.set_paused(False)
            self._paused_by_us = False

    def _is_paused(self) -> bool:
        mda = self._core.mda
        return bool(mda.is_paused() or mda.status.pause_requested)

    def _place(self) -> str:
        """Where the camera's thread is: the line of a driver, or of somebody's listener."""
        frame = sys._current_frames().get(self._camera_thread)  # noqa: SLF001 - documented
        stack = traceback.extract_stack(frame) if frame else []
        for at in reversed(stack):
            if "site-packages" in at.filename or not at.filename.startswith(_PYTHON):
                return f"{at.filename}, line {at.lineno}, {at.name}"
        return ""
