"""The worker as a child process: started, watched, started again if it dies."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from samcell_live.store.processes import Health

logger = logging.getLogger(__name__)

POLL_S = 0.2
MAX_RESTARTS = 10
MAX_PAUSE_S = 30.0
WRONG_USAGE = 2
LOW_PRIORITY = getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 5)


class WorkerProcess:
    """Runs ``samcell-live analyse STORE --follow`` and keeps it running.

    The two processes share the store and nothing else. A worker that dies is started
    again, for as long as frames may come: the disk may have room again, the GPU be free.
    After that, one that died `MAX_RESTARTS` times without getting anything done is not.
    One that was refused (exit code 2) is not, either, unless because another was at
    work: it waits for that one's end. The worker has a process group of its own, so that
    Ctrl-C on the terminal does not reach it.

    Parameters
    ----------
    store : Path
        The run store.
    n_done : callable
        Frames that have their result, or their reason, so far.
    is_acquiring : callable
        Whether more frames may come.
    is_taken : callable
        Whether another process is at the analysis.
    """

    def __init__(
        self,
        store: Path,
        n_done: Callable[[], int],
        *,
        is_acquiring: Callable[[], bool],
        is_taken: Callable[[], bool],
    ) -> None:
        self.restarts = 0
        self.error = ""
        """Last words of a worker that failed."""
        # Without -P, a torch.py in the folder where the user works would be imported.
        command = [sys.executable, "-P", "-m", "samcell_live", "analyse", str(store)]
        self._command = [*command, "--follow", "--quiet"]
        self._n_done = n_done
        self._is_acquiring = is_acquiring
        self._is_taken = is_taken
        self._ended_by_us = threading.Event()
        # Not the thread's own end: a join that Ctrl-C interrupts takes it for ended.
        self._over = threading.Event()
        self._process = self._start()
        threading.Thread(target=self._watch, name="worker-watch", daemon=True).start()

    @property
    def is_running(self) -> bool:
        """Whether a worker is at work, or about to be started again."""
        return not self._over.is_set()

    def figures(self) -> Health:
        """What becomes of the worker, for the record of the acquisition."""
        return {
            "worker": "running" if self.is_running else "ended",
            "worker_restarts": self.restarts,
            "worker_error": self.error,
        }

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the worker is done with the run; False if it is not by then."""
        return self._over.wait(timeout_s)

    def kill(self) -> None:
        """End the worker at once; the frame at hand stays waiting."""
        self._ended_by_us.set()
        while self.is_running:  # it may just be starting another
            self._process.kill()
            self._over.wait(POLL_S)

    def _start(self) -> subprocess.Popen[bytes]:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the worker ended
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            process_group=None if os.name == "nt" else 0,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        _let_others_go_first(process.pid)
        return process

    def _watch(self) -> None:
        try:
            self._keep_running()
        finally:
            self._over.set()

    def _keep_running(self) -> None:
        fruitless, done_before = 0, self._n_done()
        while True:
            code = self._process.wait()
            last_words = self._last_words()
            if code == 0 or self._ended_by_us.is_set():
                return
            if code == WRONG_USAGE and self._is_taken():
                if not self._waited_for_another():
                    return
            else:
                self.error = last_words or f"the worker ended with exit code {code}"
                logger.error("The analysis worker ended with code %d: %s", code, last_words)
                done = self._n_done()
                fruitless = fruitless + 1 if done == done_before else 1
                done_before = done
                if self._is_hopeless(code, fruitless):
                    return
                self.restarts += 1
                if self._ended_by_us.wait(min(2.0**fruitless * POLL_S, MAX_PAUSE_S)):
                    return
            self._process = self._start()

    def _is_hopeless(self, code: int, fruitless: int) -> bool:
        gave_up = fruitless > MAX_RESTARTS and not self._is_acquiring()
        return code == WRONG_USAGE or gave_up

    def _waited_for_another(self) -> bool:
        """Wait until nobody else is at the analysis; False if we are to end before."""
        while self._is_taken():
            if self._ended_by_us.wait(POLL_S):
                return False
        return True

    def _last_words(self) -> str:
        with self._log as log:
            log.seek(0)
            text = log.read().decode("utf-8", errors="replace").strip()
        return text[-2000:]


def _let_others_go_first(pid: int) -> None:
    """Lower a process's priority: the camera and the disk come before the analysis.

    Linux has a class of processes that are interrupted as soon as another wants the
    processor. It counts within a session, so the worker stays in that of the acquisition.
    """
    with suppress(OSError, psutil.Error):  # it is there to help, and not needed
        psutil.Process(pid).nice(LOW_PRIORITY)
        if sys.platform == "linux":
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
