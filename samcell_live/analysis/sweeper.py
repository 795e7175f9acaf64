"""Emptying the spill of a run while it is analysed."""

from __future__ import annotations

import logging
import threading

from samcell_live.analysis.supervisor import WorkerProcess
from samcell_live.store.spill import Spill

logger = logging.getLogger(__name__)

SWEEP_S = 2.0
"""So often is looked for frames that can be removed."""


class Sweeper:
    """Empties the spill of a run every few seconds, and once more when all is analysed."""

    def __init__(self, spill: Spill, worker: WorkerProcess) -> None:
        self._spill = spill
        self._worker = worker
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="raw-sweeper", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Sweep until the worker is done, now that no more frames come."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(SWEEP_S):
            self._sweep(may_come=True)
        while not self._worker.wait(SWEEP_S):
            self._sweep(may_come=False)
        self._sweep(may_come=False)

    def _sweep(self, *, may_come: bool) -> None:
        try:
            self._spill.sweep(may_come=may_come)
        except (OSError, ValueError):  # a share that is away comes back, or the frames stay
            logger.warning("The raw frames could not be removed", exc_info=True)
