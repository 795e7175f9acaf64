"""The worker as a child process: started, watched, started again if it dies."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

logger = logging.getLogger(__name__)

POLL_S = 0.2
MAX_RESTARTS = 10
STOP_S = 20.0
"""A worker that is asked to stop may finish its frame for this long."""
WRONG_USAGE = 2


class WorkerProcess:
    """Runs ``samcell-live analyse STORE --follow`` and keeps it running.

    The two processes share the store and nothing else. A worker that dies is started
    again, until it has died `MAX_RESTARTS` times; one that was refused (exit code 2) is
    not. The worker has a process group of its own, so that Ctrl-C on the terminal
    reaches it only through `stop`.
    """

    def __init__(self, store: Path) -> None:
        self.restarts = 0
        self.error = ""
        """Last words of a worker that failed."""
        self._command = [
            sys.executable,
            "-m",
            "samcell_live",
            "analyse",
            str(store),
            "--follow",
            "--quiet",
        ]
        self._asked_to_stop = threading.Event()
        self._process = self._start()
        self._thread = threading.Thread(
            target=self._watch, name="worker-watch", daemon=True
        )
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether a worker is at work, or about to be started again."""
        return self._thread.is_alive()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the worker is done with the run; False if it is not by then."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End the worker after the frame at hand, or by force if that takes too long."""
        self._asked_to_stop.set()
        self._interrupt()
        if not self.wait(STOP_S):
            self.kill()

    def kill(self) -> None:
        """End the worker at once; the frame at hand stays waiting."""
        self._asked_to_stop.set()
        while self._thread.is_alive():  # it may just be starting another
            self._process.kill()
            self._thread.join(POLL_S)

    def _start(self) -> subprocess.Popen[bytes]:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the worker ended
        return subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            start_new_session=os.name != "nt",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def _watch(self) -> None:
        while True:
            code = self._process.wait()
            last_words = self._last_words()
            if code == 0 or self._asked_to_stop.is_set():
                return
            self.error = last_words or f"the worker ended with exit code {code}"
            logger.error("The analysis worker ended with code %d: %s", code, last_words)
            if code == WRONG_USAGE or self.restarts >= MAX_RESTARTS:
                return
            self.restarts += 1
            self._asked_to_stop.wait(min(2.0**self.restarts * POLL_S, 30.0))
            if self._asked_to_stop.is_set():
                return
            self._process = self._start()

    def _last_words(self) -> str:
        with self._log as log:
            log.seek(0)
            text = log.read().decode("utf-8", errors="replace").strip()
        return text[-2000:]

    def _interrupt(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
