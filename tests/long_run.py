"""A run of many frames, written by one process and read by another: their memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from reliable_run import ANALYSIS, Onlooker, begin, start

from samcell_live.store.reader import RunReader

WARM_UP = 0.2
"""Memory is compared with what it was after this part of the frames."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the processes, in MB: early in the run, and at its end."""

    frames: int
    writer: tuple[float, float]
    worker: tuple[float, float]
    reader: tuple[float, float]
    faults: tuple[str, ...]


def memory_of_a_long_run(folder: Path, n_frames: int) -> Memory:
    """Acquire, analyse and read a run at the same time; this process is the reader."""
    path = folder / "run"
    begin(path, n_frames)
    reader = RunReader(path)
    writer, worker = (start(what, path, folder / what) for what in ("acquire", "analyse"))
    processes = (*map(psutil.Process, (writer.pid, worker.pid)), psutil.Process())
    early, late = [0.0] * 3, [0.0] * 3
    with Onlooker(path) as onlooker:
        while worker.poll() is None:
            time.sleep(0.1)
            late = [
                _resident_mb(process) or before
                for process, before in zip(processes, late, strict=True)
            ]
            if not early[0] and reader.counts(ANALYSIS).acquired >= WARM_UP * n_frames:
                early = late
    if writer.wait() or worker.wait():
        raise RuntimeError("The acquisition or the worker failed.")
    return Memory(
        n_frames,
        writer=(early[0], late[0]),
        worker=(early[1], late[1]),
        reader=(early[2], late[2]),
        faults=tuple(onlooker.torn[:5]),
    )


def _resident_mb(process: psutil.Process) -> float:
    """Memory of a process; 0 once it has ended."""
    try:
        return round(process.memory_info().rss / 2**20, 1)
    except psutil.NoSuchProcess:
        return 0.0
