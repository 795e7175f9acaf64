"""Whatever the camera or a peer does: what came is kept, and what did not is told."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from no_worker import analyse_nothing
from psygnal import EmitLoopError
from useq import MDAEvent, MDASequence

from samcell_live.microscope import watch as watch_module
from samcell_live.microscope.beginning import Experiment
from samcell_live.microscope.monitor import Monitor
from samcell_live.microscope.simulated import simulated_core
from samcell_live.records import FrameKey
from samcell_live.settings import SimulatedMicroscope
from samcell_live.store import alerts as alerts_module
from samcell_live.store.alerts import alerts
from samcell_live.store.check import check_store
from samcell_live.store.reader import RunReader

MICROSCOPE = SimulatedMicroscope(image_height_px=96, image_width_px=128, speed=36000.0)
N_FRAMES = 8
SEQUENCE = MDASequence(channels=["phase"], time_plan={"interval": 0.1, "loops": N_FRAMES})


def wait_for(condition: Callable[[], object], timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "this never came true"
        time.sleep(0.02)


class Bench:
    """A simulated microscope whose acquisitions are recorded; nothing is analysed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.core = simulated_core(MICROSCOPE)
        self.monitor = Monitor(self.core, path, Experiment(keep_free_bytes=0))

    def acquire(self, sequence: MDASequence = SEQUENCE) -> None:
        """Acquire a sequence to its end."""
        self.core.run_mda(sequence, block=True)
        self.close()

    def close(self) -> None:
        self.monitor.close(wait=True)

    @property
    def reader(self) -> RunReader:
        return RunReader(self.path)

    def timepoints(self) -> list[int]:
        return np.flatnonzero(self.reader.acquired()).tolist()

    def told(self) -> list[str]:
        return [alert.kind for alert in alerts(self.reader, time.time())]

    def end(self) -> tuple[str, str]:
        process = self.reader.process("acquisition")
        assert process is not None
        return process.state, process.message

    def fail_from_snap(self, *snaps: int, forever: bool = False) -> None:
        """Let the camera fail at these snaps, counted from 0."""
        camera: Any = self.core.mda.engine._camera  # type: ignore[union-attr]
        take, counter = camera.snap, iter(range(10_000))

        def snap(buffer: Any) -> Any:
            number = next(counter)
            if number in snaps or (forever and number >= min(snaps)):
                raise RuntimeError("cable unplugged")
            return take(buffer)

        camera.snap = snap


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    analyse_nothing(monkeypatch)
    bench = Bench(tmp_path / "run.ome.zarr")
    yield bench
    bench.core.unloadAllDevices()


def test_a_snap_that_fails_shifts_no_other_frame(bench: Bench) -> None:
    bench.fail_from_snap(2, 5)
    bench.acquire()
    assert bench.timepoints() == [0, 1, 3, 4, 6, 7]
    hours = [bench.reader.frame(FrameKey(t=t)).row.elapsed_s for t in bench.timepoints()]
    assert len(hours) == 6
    assert hours == sorted(hours)
    counts = bench.reader.counts("cells")
    assert counts.expected == counts.acquired + counts.missing == N_FRAMES
    assert "missing" in bench.told()


def test_a_camera_that_fails_for_good_leaves_what_it_gave_and_is_told(bench: Bench) -> None:
    bench.fail_from_snap(3, forever=True)
    bench.acquire()
    assert bench.timepoints() == [0, 1, 2]
    assert bench.reader.counts("cells").missing == N_FRAMES - 3
    assert check_store(bench.path) == []


def test_a_stage_that_does_not_move_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blocked(*arguments: object) -> None:
        raise RuntimeError("motor overload")

    sequence = MDASequence(
        channels=["phase"],
        stage_positions=[(0, 0), (500, 0)],
        time_plan={"interval": 0.1, "loops": 3},
    )
    monkeypatch.setattr(bench.core, "setXYPosition", blocked)
    bench.acquire(sequence)
    assert bench.reader.counts("cells").missing == 0
    (alert,) = alerts(bench.reader, time.time())
    assert str(alert).startswith("3 frames were taken elsewhere, the stage up to 500 um")


def test_a_peer_that_raises_costs_no_frame(bench: Bench) -> None:
    def raises(*arguments: object) -> None:
        raise ValueError("a peer's mistake")

    bench.core.mda.events.frameReady.connect(raises)
    bench.acquire()
    assert bench.timepoints() == list(range(N_FRAMES))
    assert bench.monitor.errors == []


def test_a_slow_peer_makes_frames_late_and_costs_none(bench: Bench) -> None:
    bench.core.mda.events.frameReady.connect(lambda *arguments: time.sleep(0.3))
    bench.acquire()
    assert bench.timepoints() == list(range(N_FRAMES))
    assert bench.end() == ("finished", "")


def test_a_peer_that_hangs_is_told_by_its_name_within_an_interval(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts_module, "PATIENCE_S", 1.0)
    monkeypatch.setattr(watch_module, "LOOK_S", 0.1)
    released = threading.Event()

    def hangs(image: object, event: MDAEvent, metadata: object) -> None:
        if event.index["t"] == 2:
            released.wait(120)

    def names(listener: str) -> bool:
        found = map(str, alerts(bench.reader, time.time()))
        return any(text.endswith(f"{listener}.") for text in found)

    bench.core.mda.events.frameReady.connect(hangs)
    thread = bench.core.run_mda(SEQUENCE)
    wait_for(lambda: bench.path.exists() and names("hangs"))
    assert bench.told() == ["stalled"]
    released.set()
    thread.join()
    bench.close()
    assert bench.timepoints() == list(range(N_FRAMES))


def test_a_run_that_is_aborted_says_so_and_keeps_its_frames(bench: Bench) -> None:
    def aborts(event: MDAEvent) -> None:
        if event.index["t"] == 3:
            raise RuntimeError("stage hit the wall")

    bench.core.mda.events.eventStarted.connect(aborts)
    with pytest.raises(EmitLoopError, match="stage hit the wall"):
        bench.core.mda.run(SEQUENCE)
    bench.close()
    assert bench.timepoints() == [0, 1, 2]
    state, message = bench.end()
    assert state == "failed"
    assert "raised an error" in message


def test_a_run_that_is_paused_by_hand_goes_on_whole(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "LOOK_S", 0.1)
    thread = bench.core.run_mda(SEQUENCE)
    wait_for(lambda: bench.path.exists() and bench.timepoints())
    bench.core.mda.set_paused(True)
    wait_for(lambda: bench.told() == ["paused"] or not thread.is_alive())
    bench.core.mda.set_paused(False)
    thread.join()
    bench.close()
    assert bench.timepoints() == list(range(N_FRAMES))
    assert bench.end() == ("finished", "")


def test_a_clock_that_is_set_back_costs_no_frame_and_no_order(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = time.time
    frames: list[int] = []

    def wrong() -> float:
        return right() - (3600 if len(frames) > 2 else 0)

    bench.core.mda.events.frameReady.connect(lambda *arguments: frames.append(1))
    monkeypatch.setattr(time, "time", wrong)
    bench.acquire()
    assert bench.timepoints() == list(range(N_FRAMES))
    table = bench.reader.frames()
    assert table["time_s"].is_monotonic_increasing is False
    assert table["elapsed_s"].is_monotonic_increasing
    assert bench.end() == ("finished", "")


SCRIPT = """
import os, sys
os.environ["PYMM_LOG_FILE"] = "0"
from pathlib import Path
from useq import MDASequence
import samcell_live
from samcell_live.microscope.simulated import simulated_core
from samcell_live.settings import SimulatedMicroscope
core = simulated_core(SimulatedMicroscope(image_height_px=96, image_width_px=128))
sequence = MDASequence(channels=["phase"], time_plan={"interval": 0.05, "loops": 3})
with samcell_live.monitor(core, Path(sys.argv[1]), wait=False) as monitor:
    core.run_mda(sequence, block=True)
monitor.run.worker.kill()
print(monitor.errors)
"""


def test_a_script_that_was_monitored_ends_with_exit_code_0(tmp_path: Path) -> None:
    for n in range(2):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / f"run{n}")]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert (ended.returncode, ended.stdout.strip()) == (0, "[]"), ended.stderr
