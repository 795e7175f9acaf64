"""One run that is being acquired: its store, its writer thread, its worker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from samcell_live.analysis.supervisor import WorkerProcess
from samcell_live.analysis.sweeper import Sweeper
from samcell_live.records import Frame, FrameKey
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.plan import RunPlan
from samcell_live.store.processes import (
    ACQUISITION,
    Health,
    ProcessRecord,
    State,
    analysis_role,
)
from samcell_live.store.reader import RunReader
from samcell_live.store.spill import Spill
from samcell_live.store.spool import Spool

logger = logging.getLogger(__name__)


class LiveRun:
    """Makes a run store, takes frames into it and has them analysed.

    Used by a live acquisition and by a replay alike.

    Parameters
    ----------
    path : Path
        Folder to make for the run, or to go on with.
    plan : RunPlan
        What the run is.
    expected : sequence of FrameKey, optional
        Frames that a new run is to bring; see `create_run`.
    budget_bytes : int
        Frames that wait for the disk hold at most this much memory.
    resume : bool
        The run is there already, and its remaining frames are to come.

    Raises
    ------
    FileExistsError
        If something is at `path` already.
    OSError
        If the store cannot be made there; nothing is left behind.
    RoleTakenError
        If another process is at the acquisition of the run.
    """

    def __init__(
        self,
        path: Path,
        plan: RunPlan,
        expected: Sequence[FrameKey] | None = None,
        *,
        budget_bytes: int = 2**30,
        resume: bool = False,
    ) -> None:
        if not resume:
            create_run(path, plan, expected)
        self.path = path
        self.plan = plan
        self._reader = RunReader(path)
        self.notes: dict[str, float | str | None] = {"next_due_s": time.time()}
        """What whoever runs the acquisition knows of it; written with its health."""
        self._finisher: threading.Thread | None = None
        self._worker_health: Callable[[], Health] = lambda: {"worker": "starting"}
        self._frames = FrameWriter(path, plan)
        self._spool = Spool(self._frames.begin, budget_bytes)
        try:
            # The worker follows an acquisition that it finds at work.
            self._record = ProcessRecord(path, ACQUISITION, self._health)
        except BaseException:  # or its threads would outlive a run that never began
            self._spool.close()
            raise
        self.worker = WorkerProcess(
            path,
            self._n_done,
            is_acquiring=lambda: self.is_acquiring,
            is_taken=self._is_analysed_by_another,
        )
        self._worker_health = self.worker.figures
        self._spill = (
            Sweeper(Spill(path, plan.analysis.name), self.worker)
            if plan.raw == "spill"
            else None
        )

    @property
    def is_acquiring(self) -> bool:
        """Whether frames may still come."""
        return self._finisher is None

    def offer(self, frame: Frame) -> None:
        """Take a frame; returns at once."""
        self.notes["last_frame_s"] = time.time()
        self._spool.offer(frame)

    def give_up_after(self, seconds: float) -> None:
        """Lose frames that cannot be written for this much longer."""
        self._spool.give_up_after(seconds)

    def finish(self, state: State, message: str = "") -> None:
        """Say that no more frames come; returns at once.

        What waits in memory is still written; then the end is recorded, and the
        worker ends by itself after the last frame.
        """

        def drain() -> None:
            self._spool.close()
            self._trim()
            health = self._spool.health
            note = f"{health.lost} frames lost: {health.last_error}" if health.lost else ""
            self._record.end(state, "; ".join(filter(None, [message, note])))
            if self._spill is not None:
                self._spill.end()

        self._finisher = threading.Thread(target=drain, name="run-finisher")
        self._finisher.start()

    def _trim(self) -> None:
        try:
            self._frames.trim()
        except OSError:  # a disk that is full: the run then ends with empty timepoints
            logger.warning("%s could not be cut to its length", self.path, exc_info=True)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until every frame on disk has a result; False if that takes longer."""
        if self._finisher is not None:
            self._finisher.join(timeout_s)
            if self._finisher.is_alive():
                return False
        return self.worker.wait(timeout_s)

    def finishing(self) -> Iterator[None]:
        """Wait like `wait`, giving control back several times a second.

        If the caller ends before, the worker is ended, too.
        """
        try:
            while not self.wait(0.1):
                yield
        except BaseException:  # Ctrl-C and a closed generator, too
            self.worker.kill()
            raise

    def _health(self) -> Health:
        health = self._spool.health
        return {
            "offered": health.offered,
            "written": health.written,
            "written_in_place": health.written_in_place,
            "lost": health.lost,
            "waiting_mb": round(self._spool.waiting_bytes / 2**20, 1),
            "last_error": health.last_error,
            **self._worker_health(),
            **self.notes,
        }

    def _is_analysed_by_another(self) -> bool:
        worker = self._reader.process(analysis_role(self.plan.analysis.name))
        return worker is not None and worker.is_alive(time.time())

    def _n_done(self) -> int:
        counts = self._reader.counts(self.plan.analysis.name)
        return counts.analysed + counts.failed
