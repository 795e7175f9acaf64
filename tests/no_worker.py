"""Acquisitions that nobody analyses: quick, where only frames are of interest."""

from __future__ import annotations

import pytest

from samcell_live.analysis import live_run
from samcell_live.store.processes import Health


class NoWorker:
    """Stands in for the supervised worker, and does nothing."""

    restarts = 0
    error = ""
    is_running = False

    def __init__(self, *arguments: object, **options: object) -> None:
        """Start nobody."""

    def figures(self) -> Health:
        """Say what the supervisor would."""
        return {"worker": "running"}

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for nobody."""
        return True

    def kill(self) -> None:
        """End nobody."""


def analyse_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs that begin from now on have no worker."""
    monkeypatch.setattr(live_run, "WorkerProcess", NoWorker)
