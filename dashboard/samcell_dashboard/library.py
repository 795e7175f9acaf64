"""Which runs a folder holds, under ids that say nothing of where they lie."""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from samcell_dashboard.feed import RunFeed
from samcell_live.store.reader import RunReader

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """One run that the page can show."""

    id: str
    """Made from the path, so that a link outlives the server, but not the path itself."""
    feed: RunFeed


class Library:
    """The runs of one folder: the folder itself, or the run stores right inside it.

    Parameters
    ----------
    folder : Path
        A run store, or a folder that holds several or is going to.

    Raises
    ------
    NotADirectoryError
        If there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise NotADirectoryError(
                f"{folder} is not a folder. Give a run store, or a folder with run stores."
            )
        self.folder = folder.resolve()
        self._runs: dict[str, Run] = {}
        self._one_scan_at_a_time = threading.Lock()

    def runs(self) -> list[Run]:
        """Every run that is there now, the newest first."""
        with self._one_scan_at_a_time:
            found = [run for path in self._candidates() if (run := self._open(path))]
            self._runs = {run.id: run for run in found}
        return sorted(found, key=lambda run: run.feed.reader.plan.created, reverse=True)

    def run(self, run_id: str) -> Run | None:
        """Find the run with this id; None if there is none."""
        if run_id not in self._runs:
            self.runs()
        return self._runs.get(run_id)

    def _candidates(self) -> list[Path]:
        if _looks_like_a_run(self.folder):
            return [self.folder]
        return [
            path
            for path in sorted(self.folder.iterdir())
            # A link could lead anywhere on this computer.
            if not path.is_symlink() and _looks_like_a_run(path)
        ]

    def _open(self, path: Path) -> Run | None:
        run_id = hashlib.sha256(str(path).encode()).hexdigest()[:12]
        if run_id in self._runs:
            return self._runs[run_id]
        try:
            return Run(run_id, RunFeed(RunReader(path)))
        except ValueError:
            logger.warning("%s is left out of the list of runs", path, exc_info=True)
            return None


def _looks_like_a_run(path: Path) -> bool:
    return (path / "samcell" / "zarr.json").is_file() and not path.name.startswith(".")
