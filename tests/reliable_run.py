"""A run whose every pixel and every result is known beforehand, and who takes part in it.

``python -m reliable_run acquire|analyse STORE LOG`` is an acquisition or a worker that a
test may kill: it does what the real one does to the store, without camera or network, and
writes the slot of a frame into LOG once it was told that the frame, or result, is safe.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from builders import cell_rows, commit_cells, frame, plan, results_of, squares

from samcell_live.analysis.queue import waiting_frames
from samcell_live.records import Frame, FrameKey, RunShape
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.plan import RunPlan
from samcell_live.store.processes import ACQUISITION, ProcessRecord, analysis_role
from samcell_live.store.reader import RunReader
from samcell_live.store.spool import Spool

ANALYSIS = "cells"
POLL_S = 0.01
PACE_S = 0.005
"""An acquisition, or a worker, takes at least so long for a frame."""


def plan_of(n_frames: int) -> RunPlan:
    """Plan of a run of `n_frames` known frames."""
    return plan(RunShape(t=n_frames))


def begin(path: Path, n_frames: int) -> RunPlan:
    """Make a run of `n_frames` known frames."""
    run_plan = plan_of(n_frames)
    create_run(path, run_plan)
    return run_plan


def known_frame(key: FrameKey) -> Frame:
    """Give a frame of which everything is known."""
    return frame(
        key,
        time_s=1.0 + key.t,
        stage_x_um=2.0,
        stage_y_um=3.0,
        stage_z_um=4.0,
        exposure_ms=5.0,
    )


def acquire_all(path: Path, run_plan: RunPlan) -> None:
    """Write every frame of a run, and end its acquisition."""
    writer = FrameWriter(path, run_plan)
    with ProcessRecord(path, ACQUISITION):
        writer.write(*map(known_frame, run_plan.shape.all_keys()))


def n_cells(key: FrameKey) -> int:
    """Cells that the known result of a frame has."""
    return 1 + key.t % 9


def acquire(path: Path, log: Path) -> None:
    """Acquire what is missing, as an acquisition that goes on does."""
    reader = RunReader(path)
    writer = FrameWriter(path, reader.plan)
    with ProcessRecord(path, ACQUISITION), log.open("a") as acknowledged:

        def begin(*some: Frame) -> Callable[[], None]:
            finish = writer.begin(*some)

            def acknowledge() -> None:
                finish()
                for one in some:
                    print(reader.plan.shape.slot(one.key), file=acknowledged, flush=True)

            return acknowledge

        spool = Spool(begin, budget_bytes=2**20)
        for slot in np.flatnonzero(~reader.acquired()):
            spool.offer(known_frame(reader.plan.shape.key(int(slot))))
            time.sleep(PACE_S)
        spool.close()


def analyse(path: Path, log: Path) -> None:
    """Analyse what waits, as a worker that is started again does."""
    reader = RunReader(path)
    with ProcessRecord(path, analysis_role(ANALYSIS)), log.open("a") as acknowledged:
        results = results_of(path, reader.plan, ANALYSIS)
        for key in waiting_frames(reader, ANALYSIS, follow=True):
            commit_cells(results, key, n_cells(key))
            print(reader.plan.shape.slot(key), file=acknowledged, flush=True)
            time.sleep(PACE_S)


def start(what: str, path: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start an acquisition or a worker that may be killed."""
    beside = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, beside))}
    command = [sys.executable, "-m", "reliable_run", what, str(path), str(log)]
    return subprocess.Popen(command, env=environment)


def logged(log: Path) -> Counter[int]:
    """Slots that were acknowledged, and how often; a line that was cut off counts not."""
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    return Counter(int(line) for line in lines)


@dataclass
class Onlooker:
    """Reads a run over and over while it is written, and believes nothing."""

    path: Path
    torn: list[str] = field(default_factory=list)
    n_looks: int = 0
    n_frames_read: int = 0

    def __post_init__(self) -> None:
        self._reader = RunReader(self.path)
        self._seen_frames: set[int] = set()
        self._seen_results: set[int] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_looking)

    def __enter__(self) -> Onlooker:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()
        self.look()

    def look(self) -> None:
        """Read all that is new; what does not hold goes into `torn`."""
        reader = self._reader
        counts = reader.counts(ANALYSIS)
        if counts.waiting < 0 or counts.missing < 0:
            self.torn.append(f"the account does not add up: {counts}")
        counted = reader.series(ANALYSIS)["cell_count"]
        for slot in counted.index.difference(list(self._seen_results)):
            self._seen_results.add(slot)
            self._check_result(reader.plan.shape.key(slot), counted[slot])
        for slot in np.flatnonzero(reader.acquired()).tolist():
            if slot not in self._seen_frames:
                self._seen_frames.add(slot)
                self._check_frame(reader.plan.shape.key(slot))
        self.n_looks += 1

    def _keep_looking(self) -> None:
        while not self._over.wait(POLL_S):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - a read that fails is what we look for
                self.torn.append(f"{type(error).__name__}: {error}")

    def _check_frame(self, key: FrameKey) -> None:
        self.n_frames_read += 1
        found, wanted = self._reader.frame(key), known_frame(key)
        if not np.array_equal(found.pixels, wanted.pixels):
            self.torn.append(f"{key} has other pixels")
        if found.row != wanted.row:
            self.torn.append(f"{key} has an incomplete row")

    def _check_result(self, key: FrameKey, counted: float) -> None:
        n = n_cells(key)
        if counted != n:
            self.torn.append(f"{key} has an incomplete line in the series")
        if not np.array_equal(self._reader.labels(key, ANALYSIS), squares(n)):
            self.torn.append(f"{key} has other labels")
        if not np.array_equal(self._reader.cells(key, ANALYSIS).to_numpy(), cell_rows(n)):
            self.torn.append(f"{key} has other cells")


if __name__ == "__main__":
    {"acquire": acquire, "analyse": analyse}[sys.argv[1]](*map(Path, sys.argv[2:4]))
