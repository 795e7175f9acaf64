"""Which runs a folder holds, under ids that say nothing of where they lie."""

from __future__ import annotations

import hashlib
import threading
from functools import cached_property
from pathlib import Path

from samcell_dashboard.feed import RunFeed
from samcell_dashboard.reading import reading
from samcell_live.store import layout
from samcell_live.store.arrays import read_attributes
from samcell_live.store.reader import RunReader


class Run:
    """One run that the page can show, or say why it cannot.

    Parameters
    ----------
    path : Path
        The run store.
    uid : str
        Identity of the run that lies there now; empty if it cannot be told.
    """

    def __init__(self, path: Path, uid: str) -> None:
        self.path = path
        self.uid = uid
        self.id = hashlib.sha256(f"{path}\n{uid}".encode()).hexdigest()[:12]
        """A link outlives the server, but leads neither to the path nor to a successor."""
        self._one_opens_it = threading.Lock()

    @property
    def feed(self) -> RunFeed:
        """The run's contents.

        Raises
        ------
        UnreadableRunError
            If it cannot be opened.
        """
        with self._one_opens_it, reading(self.path):
            return self._feed

    @cached_property
    def _feed(self) -> RunFeed:
        return RunFeed(RunReader(self.path))


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
        """Every run that is there now, damaged ones too, by name."""
        with self._one_scan_at_a_time:
            found = [Run(path, _uid(path)) for path in self._candidates()]
            self._runs = {run.id: self._runs.get(run.id, run) for run in found}
            return list(self._runs.values())

    def run(self, run_id: str) -> Run | None:
        """Find the run with this id; None if there is none, or no longer."""
        known = self._runs.get(run_id)
        if known is not None and _uid(known.path) == known.uid:
            return known
        return next((run for run in self.runs() if run.id == run_id), None)

    def _candidates(self) -> list[Path]:
        if _looks_like_a_run(self.folder):
            return [self.folder]
        return [
            path
            for path in sorted(self.folder.iterdir())
            # A link could lead anywhere on this computer.
            if not path.is_symlink() and _looks_like_a_run(path)
        ]


def _looks_like_a_run(path: Path) -> bool:
    return (path / layout.SAMCELL / "zarr.json").is_file() and not path.name.startswith(".")


def _uid(path: Path) -> str:
    """Identity of the run that lies at a path now; empty if it cannot be read."""
    try:
        return str(read_attributes(path / layout.SAMCELL)["plan"]["uid"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
