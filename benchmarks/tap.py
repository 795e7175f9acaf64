"""What monitoring costs the acquisition: the same sequence with and without us.

    python benchmarks/tap.py [--frames 200]

A stand-in camera gives 2048 x 2048 uint16 frames every 50 ms through pymmcore-plus's own
runner. Printed: time that the acquisition thread spends in our listener per frame,
and the duration of the whole sequence with us over that without.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("PYMM_LOG_FILE", "0")

import numpy as np
import useq
from pymmcore_plus.mda import MDARunner, PMDAEngine

from samcell_live.microscope.monitor import Experiment, Monitor

SIDE_PX = 2048
EXPOSURE_S = 0.05
IMAGE = np.random.default_rng(0).integers(0, 4000, (SIDE_PX, SIDE_PX), dtype=np.uint16)


class StandInEngine(PMDAEngine):
    """Yields a fresh frame per event, at the pace of a camera."""

    def setup_sequence(self, sequence: useq.MDASequence) -> Any:
        info = {
            "plane_shape": (SIDE_PX, SIDE_PX),
            "dtype": "uint16",
            "pixel_size_um": 0.65,
        }
        return {"image_infos": (info,)}

    def setup_event(self, event: useq.MDAEvent) -> None:
        return

    def event_iterator(self, events: Iterable[useq.MDAEvent]) -> Iterator[useq.MDAEvent]:
        yield from events

    def exec_event(self, event: useq.MDAEvent) -> Iterator[Any]:
        time.sleep(EXPOSURE_S)
        yield IMAGE.copy(), event, {"pixel_size_um": 0.65, "exposure_ms": EXPOSURE_S * 1e3}


class Core:
    """The part of a core that a monitor needs."""

    def __init__(self) -> None:
        self.mda = MDARunner()
        self.mda.set_engine(StandInEngine())

    def getImageBitDepth(self) -> int:  # noqa: N802 - pymmcore-plus's name
        return 12


class TimedMonitor(Monitor):
    """Notes how long each frame kept the acquisition thread."""

    def frame_ready(self, *arguments: Any) -> None:
        started = time.perf_counter()
        super().frame_ready(*arguments)
        taken_ms.append((time.perf_counter() - started) * 1e3)


taken_ms: list[float] = []


def acquire(sequence: useq.MDASequence, store: Path | None) -> float:
    """Run the sequence and return how long it took, with our monitor or without."""
    core = Core()
    monitor = TimedMonitor(core, store, Experiment()) if store is not None else None
    started = time.perf_counter()
    core.mda.run(sequence)
    taken_s = time.perf_counter() - started
    if monitor is not None and monitor.run is not None:
        monitor.run.worker.kill()  # the analysis is not what is measured here
        monitor.close(wait=True)
        assert monitor.errors == []
        assert monitor.n_unrecorded == 0
    return taken_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    n_frames = parser.parse_args().frames
    sequence = useq.MDASequence(
        channels=["phase"], time_plan={"interval": 0, "loops": n_frames}
    )
    acquire(sequence.replace(time_plan={"interval": 0, "loops": 5}), None)  # warm-up
    without_s = acquire(sequence, None)
    with tempfile.TemporaryDirectory() as folder:
        with_s = acquire(sequence, Path(folder) / "run.ome.zarr")
    ratio = with_s / without_s
    median, p95 = statistics.median(taken_ms), statistics.quantiles(taken_ms, n=20)[-1]
    print(f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print(
        f"{n_frames} frames, {SIDE_PX} px squared, uint16, one in {EXPOSURE_S * 1e3:.0f} ms"
    )
    print(f"acquisition thread: median {median:.3f} ms a frame, 95 % below {p95:.3f} ms")
    print(f"sequence: {with_s:.2f} s with us, {without_s:.2f} s without: {ratio:.3f}")


if __name__ == "__main__":
    main()
