"""How long the device waits while a worker works off frames that it is behind with.

    python benchmarks/worker_idle.py [--frames 30] [--device-ms 300] [--side-px 2048]

The frames are in a real store, and the worker is the real one: it reads them, prepares
them, floods, measures and commits. Only the network is one of known cost, which, like a
GPU, takes time and no processor. This is done with one frame in hand, and then with as many
as the worker takes. Printed: the share of the time between the device's first and last work
in which it waits.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from pipeline import Traced, dense_culture, stand_in_model
from raw_writer import one_field

from samcell_live.analysis import worker
from samcell_live.memory import reuse_freed_memory
from samcell_live.records import Frame, FrameKey, FrameRow
from samcell_live.segmentation.segmenter import Segmenter
from samcell_live.settings import AnalysisSettings
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter

MOST_IDLE = 0.1


class OnDevice(Traced):
    """A segmenter with a stand-in for the device; the worker measures its cells itself."""

    finish = Segmenter.finish


def backlog(path: Path, n_frames: int, side_px: int) -> None:
    """Make a run whose acquisition is over, and which nobody has analysed."""
    plan = one_field(n_frames, side_px)
    create_run(path, plan)
    writer = FrameWriter(path, plan)
    images = [dense_culture(seed, side_px) for seed in range(3)]
    for t in range(n_frames):
        writer.write(Frame(FrameKey(t=t), images[t % 3], 0.65, FrameRow(elapsed_s=t)))


def work_off(
    path: Path, name: str, device_ms: float, most_in_hand: int
) -> tuple[float, float]:
    """Analyse the run; gives the device's idle share and the seconds that it all took."""
    segmenter = OnDevice(stand_in_model(), device_ms)
    with (
        patch.object(worker, "load_segmenter", lambda settings: segmenter),
        patch.object(worker, "MOST_IN_HAND", most_in_hand),
    ):
        started = time.perf_counter()
        counts = worker.analyse_run(path, AnalysisSettings(name=name))
        taken_s = time.perf_counter() - started
    assert counts.analysed == counts.expected
    return segmenter.trace.idle_share(), taken_s


def main() -> None:
    """Work the same frames off twice, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--device-ms", type=float, default=300)
    parser.add_argument("--side-px", type=int, default=2048)
    chosen = parser.parse_args()
    reuse_freed_memory()  # as a run does
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.ome.zarr"
        backlog(path, chosen.frames, chosen.side_px)
        OnDevice(stand_in_model(), 0)(dense_culture(0, chosen.side_px))  # is compiled
        one_idle, one_s = work_off(path, "one", chosen.device_ms, 1)
        most = worker.MOST_IN_HAND
        idle, taken_s = work_off(path, "several", chosen.device_ms, most)

    print(f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print(
        f"{chosen.frames} frames, {chosen.side_px} px squared; device: "
        f"{chosen.device_ms:.0f} ms a frame"
    )
    print(f"one frame in hand: {one_s:.1f} s, device idle {one_idle:.0%}")
    print(
        f"up to {most} frames in hand: {taken_s:.1f} s, device idle {idle:.0%} "
        f"(under {MOST_IDLE:.0%})"
    )


if __name__ == "__main__":
    main()
