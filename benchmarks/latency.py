"""How long a frame takes from the camera to its committed row, apart from inference.

    python benchmarks/latency.py [--frames 20] [--side-px 2048] [--pause-s 0.5]
                                 [--device-ms 100]

A run as it is live: frames are offered one by one to the writer, and the worker, a process
of its own with the starter network, commits their rows. The store is watched from
here. Printed: the time to the mark of the raw frame, to the committed row, and the latter
less the time in network and watershed that stands in the row.

Without a GPU the starter computes on the processor that everything else needs, too. So the
same is measured again with a network of known cost, which, like a GPU, takes time and no
processor. All else is the real thing; what a GPU's driver needs, and the copies to it and
back, are not in it.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
from pipeline import dense_culture, stand_in_model
from raw_writer import one_field
from worker_idle import OnDevice

from samcell_live.analysis import live_run, worker
from samcell_live.analysis.live_run import LiveRun
from samcell_live.analysis.supervisor import WorkerProcess
from samcell_live.memory import reuse_freed_memory
from samcell_live.records import Frame, FrameKey, FrameRow, Pixels
from samcell_live.settings import AnalysisSettings
from samcell_live.store import layout
from samcell_live.store.reader import RunReader

MOST_MS = 150.0
LOOK_S = 0.002
GIVE_UP_S = 600.0


class StandInWorker(WorkerProcess):
    """Runs `work_on` in place of ``samcell-live analyse``."""

    device_ms: float

    def _start(self) -> subprocess.Popen[bytes]:
        store = next(part for part in self._command if part.endswith(".ome.zarr"))
        figures = ["--device-ms", str(self.device_ms)]
        self._command = [sys.executable, __file__, "--work-on", store, *figures]
        return super()._start()


def work_on(path: Path, device_ms: float) -> None:
    """Follow a run with a network of known cost."""
    segmenter = OnDevice(stand_in_model(), device_ms)
    with patch.object(worker, "load_segmenter", lambda settings: segmenter):
        worker.analyse_run(path, AnalysisSettings(), follow=True)


def follow(run: LiveRun, reader: RunReader, t: int, pixels: Pixels) -> tuple[float, float]:
    """Offer a frame; gives milliseconds until it is on disk, and until its row is."""
    started = time.perf_counter()

    def ms_until(is_there: Callable[[], bool], column: Path) -> float:
        # Read only when it was written: to read takes time from those who are measured.
        seen_ns = 0
        while (now_ns := changed_ns(column)) == seen_ns or not is_there():
            seen_ns = now_ns
            if time.perf_counter() - started > GIVE_UP_S:
                raise SystemExit(f"no result within {GIVE_UP_S:.0f} s: {run.worker.error}")
            time.sleep(LOOK_S)
        return (time.perf_counter() - started) * 1e3

    run.offer(Frame(FrameKey(t=t), pixels, 0.65, FrameRow(time_s=time.time())))
    acquired = run.path / layout.frame_column("acquired")
    kept_ms = ms_until(lambda: bool(reader.acquired()[t]), acquired)
    committed = run.path / layout.series_column("cells", "committed")
    return kept_ms, ms_until(lambda: bool(reader.committed("cells")[t]), committed)


def changed_ns(column: Path) -> int:
    """When the first chunk of a column was last written; 0 if it never was."""
    chunk = column / "c" / "0"
    return chunk.stat().st_mtime_ns if chunk.exists() else 0


def measure(n_frames: int, side_px: int, pause_s: float) -> None:
    """Offer frames one at a time, and print how long they took."""
    pixels = dense_culture(0, side_px)
    plan = one_field(n_frames + 1, side_px)
    kept_ms, whole_ms = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.ome.zarr"
        run = LiveRun(path, plan)
        reader = RunReader(path)
        try:
            for t in range(n_frames + 1):
                one_kept_ms, one_whole_ms = follow(run, reader, t, pixels)
                kept_ms.append(one_kept_ms)
                whole_ms.append(one_whole_ms)
                time.sleep(pause_s)
            run.finish("finished")
            run.wait()
        finally:
            run.worker.kill()
        inference_ms = reader.series("cells")["inference_ms"].to_numpy()

    # The first frame waits until the worker has started and compiled what it compiles.
    rest_ms = (np.array(whole_ms) - inference_ms)[1:]
    print(
        f"  frame to mark of its raw pixels: median {statistics.median(kept_ms[1:]):.0f} ms"
    )
    print(f"  frame to committed row: median {statistics.median(whole_ms[1:]):.0f} ms")
    print(f"  of which network and watershed: median {np.median(inference_ms[1:]):.0f} ms")
    print(
        f"  frame to committed row, less inference: median {np.median(rest_ms):.0f} ms "
        f"(under {MOST_MS:.0f}), from {rest_ms.min():.0f} to {rest_ms.max():.0f} ms"
    )


def main() -> None:
    """Measure with both networks, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--side-px", type=int, default=2048)
    parser.add_argument("--pause-s", type=float, default=0.5)
    parser.add_argument("--device-ms", type=float, default=100)
    parser.add_argument("--work-on", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    reuse_freed_memory()  # as a run does
    if chosen.work_on:
        work_on(chosen.work_on, chosen.device_ms)
        return
    print(f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print(f"{chosen.frames} frames, {chosen.side_px} px squared, one at a time")
    print("with the starter, as it is here:")
    measure(chosen.frames, chosen.side_px, chosen.pause_s)
    print(f"with a stand-in for a device that takes {chosen.device_ms:.0f} ms a frame:")
    StandInWorker.device_ms = chosen.device_ms
    with patch.object(live_run, "WorkerProcess", StandInWorker):
        measure(chosen.frames, chosen.side_px, chosen.pause_s)


if __name__ == "__main__":
    main()
