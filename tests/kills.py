"""Killing an acquisition or a worker at random moments, under a polling reader."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from reliable_run import ANALYSIS, Onlooker, acquire_all, begin, logged, start

from samcell_live.store.check import check_store
from samcell_live.store.reader import RunReader

Victim: TypeAlias = Literal["acquire", "analyse"]

SHORTEST_S, LONGEST_S = 0.02, 0.6
"""A process is killed so long after the first frame of its life was safe."""


@dataclass(frozen=True, slots=True)
class Toll:
    """What many kills cost."""

    kills: int
    acknowledged: int
    """Frames, or results, that a process was told are safe."""
    lost: int
    torn: int
    double: int
    looks: int
    faults: tuple[str, ...]


def kill_again_and_again(
    what: Victim,
    folder: Path,
    *,
    n_kills: int,
    n_frames: int,
    seed: int = 0,
) -> Toll:
    """Start a process, kill it without warning, start the next; the last one may finish.

    Parameters
    ----------
    what : {"acquire", "analyse"}
        Whom to kill.
    folder : Path
        Where the run is made.
    n_kills : int
        Kills; fewer if the work is done before.
    n_frames : int
        Frames of the run.
    seed : int
        Of the moments.
    """
    path, log = folder / "run", folder / "log"
    run_plan = begin(path, n_frames)
    if what == "analyse":
        acquire_all(path, run_plan)
    moments, killed = random.Random(seed), 0
    with Onlooker(path) as onlooker:
        while killed < n_kills:
            before = logged(log).total()
            process = start(what, path, log)
            while process.poll() is None and logged(log).total() == before:
                time.sleep(0.005)
            time.sleep(moments.uniform(SHORTEST_S, LONGEST_S))
            if process.poll() is not None:
                break
            process.kill()
            process.wait()
            killed += 1
        if start(what, path, log).wait() != 0:
            raise RuntimeError(f"The last process that was to {what} failed.")
    return _toll(path, what, killed, logged(log), onlooker)


def _toll(
    path: Path, what: str, killed: int, log: dict[int, int], onlooker: Onlooker
) -> Toll:
    reader = RunReader(path)
    safe = reader.acquired() if what == "acquire" else reader.committed(ANALYSIS) > 0
    faults = [*onlooker.torn, *map(str, check_store(path))]
    return Toll(
        kills=killed,
        acknowledged=len(log),
        lost=sum(not safe[slot] for slot in log) + int(np.count_nonzero(~safe)),
        torn=len(faults),
        double=sum(times > 1 for times in log.values()),
        looks=onlooker.n_looks,
        faults=tuple(faults[:5]),
    )
