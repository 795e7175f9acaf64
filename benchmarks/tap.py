"""What monitoring costs the acquisition: the same sequence with and without us.

    python benchmarks/tap.py [--frames 500] [--repeats 3] [--side-px 2048] [--every-ms 50]

A stand-in camera gives uint16 frames at a steady pace through pymmcore-plus's own runner,
with our monitor, its writer and its worker, and without, in turn. Printed: time that the
acquisition thread spends in our listener per frame, and the duration of the sequence with
us over that without.
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

from samcell_live.microscope.beginning import Experiment
from samcell_live.microscope.monitor import Monitor

MOST_MS, MOST_RATIO = 0.5, 1.02


class StandInEngine(PMDAEngine):
    """Yields a fresh frame per event, at the pace of a camera."""

    def __init__(self, side_px: int, exposure_s: float) -> None:
        self.exposure_s = exposure_s
        self.image = np.random.default_rng(0).integers(
            0, 4000, (side_px, side_px), dtype=np.uint16
        )

    def setup_sequence(self, sequence: useq.MDASequence) -> Any:
        info = {
            "plane_shape": self.image.shape,
            "dtype": "uint16",
            "pixel_size_um": 0.65,
        }
        return {"image_infos": (info,)}

    def setup_event(self, event: useq.MDAEvent) -> None:
        return

    def event_iterator(self, events: Iterable[useq.MDAEvent]) -> Iterator[useq.MDAEvent]:
        yield from events

    def exec_event(self, event: useq.MDAEvent) -> Iterator[Any]:
        time.sleep(self.exposure_s)
        yield (
            self.image.copy(),
            event,
            {"pixel_size_um": 0.65, "exposure_ms": self.exposure_s * 1e3},
        )


class Core:
    """The part of a core that a monitor needs."""

    def __init__(self, engine: StandInEngine) -> None:
        self.mda = MDARunner()
        self.mda.set_engine(engine)

    def getImageBitDepth(self) -> int:  # noqa: N802 - pymmcore-plus's name
        return 12

    def getFocusDevice(self) -> str:  # noqa: N802
        return ""


class TimedMonitor(Monitor):
    """Notes how long each frame kept the acquisition thread."""

    def frame_ready(self, *arguments: Any) -> None:
        started = time.perf_counter()
        super().frame_ready(*arguments)
        taken_ms.append((time.perf_counter() - started) * 1e3)


taken_ms: list[float] = []


def acquire(sequence: useq.MDASequence, engine: StandInEngine, store: Path | None) -> float:
    """Run the sequence and return how long it took, with our monitor or without."""
    core = Core(engine)
    monitor = TimedMonitor(core, store, Experiment()) if store is not None else None
    started = time.perf_counter()
    core.mda.run(sequence)
    taken_s = time.perf_counter() - started
    if monitor is not None:
        assert monitor.run is not None, monitor.errors
        monitor.run.worker.kill()  # the analysis is not what is measured here
        monitor.close(wait=True)
        assert monitor.errors == []
        assert monitor.n_unrecorded == 0
    return taken_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side-px", type=int, default=2048)
    parser.add_argument("--every-ms", type=float, default=50)
    chosen = parser.parse_args()
    engine = StandInEngine(chosen.side_px, chosen.every_ms / 1e3)
    sequence = useq.MDASequence(
        channels=["phase"], time_plan={"interval": 0, "loops": chosen.frames}
    )
    warm_up = sequence.replace(time_plan={"interval": 0, "loops": 5})
    acquire(warm_up, engine, None)
    with_s, without_s = [], []
    for _ in range(chosen.repeats):
        without_s.append(acquire(sequence, engine, None))
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "run.ome.zarr"
            with_s.append(acquire(sequence, engine, store))

    median_ms = statistics.median(taken_ms)
    p95_ms = statistics.quantiles(taken_ms, n=20)[-1]
    ratio = statistics.median(with_s) / statistics.median(without_s)
    print(f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print(
        f"{chosen.frames} frames, {chosen.side_px} px squared, uint16, one in "
        f"{chosen.every_ms:g} ms; {chosen.repeats} times with us and without, in turn"
    )
    print(
        f"acquisition thread: median {median_ms:.3f} ms a frame (at most {MOST_MS}), 95 % "
        f"below {p95_ms:.3f} ms"
    )
    print(f"with us:    {', '.join(f'{taken:.2f}' for taken in with_s)} s")
    print(f"without us: {', '.join(f'{taken:.2f}' for taken in without_s)} s")
    print(f"ratio of the medians: {ratio:.3f} (at most {MOST_RATIO})")


if __name__ == "__main__":
    main()
