"""The dashboard beside a command: a process of its own, over one run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import webbrowser
from pathlib import Path

HOST = "127.0.0.1"
STOP_S = 5.0


class Page:
    """Starts the dashboard once the run exists, and shows it in the browser."""

    def __init__(self, port: int, *, open_browser: bool) -> None:
        self._port = _free_port(port)
        self._open_browser = open_browser
        self._process: subprocess.Popen[bytes] | None = None
        self._told = False
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the page

    @property
    def url(self) -> str:
        """Address for this computer's browser."""
        return f"http://{HOST}:{self._port}/"

    def show(self, store: Path) -> str | None:
        """Start or open the page as far as it can be; tell, once, what came of it."""
        if self._told or not store.exists():
            return None
        if self._process is None:
            self._start(store)
        elif self._process.poll() is not None:
            self._told = True
            return f"The dashboard could not start: {self._last_words()}"
        elif self._answers():
            self._told = True
            if self._open_browser:
                webbrowser.open(self.url)
            return f"Dashboard: {self.url}"
        return None

    def close(self) -> None:
        """End the dashboard."""
        with self._log:
            self._end()

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self, store: Path) -> None:
        # -P: a file of the user's folder is not imported in place of a module. A group of
        # its own: Ctrl-C on the terminal reaches the page only through `close`.
        command = [sys.executable, "-P", "-m", "samcell_dashboard", str(store)]
        command += ["--host", HOST, "--port", str(self._port), "--no-browser"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            start_new_session=os.name != "nt",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def _last_words(self) -> str:
        self._log.seek(0)
        return self._log.read().decode("utf-8", errors="replace").strip()[-500:]

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self._port), timeout=0.1):
                return True
        except OSError:
            return False


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            bound: int = probe.getsockname()[1]
            return bound
    raise OSError(f"No free port was found on {HOST}, neither {wanted} nor any other.")
