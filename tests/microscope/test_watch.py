"""An acquisition is paused before the disk is full, and goes on when there is room."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import plan

from samcell_live.microscope import watch as watch_module
from samcell_live.microscope.watch import Watch
from samcell_live.records import RunShape

KEEP_FREE = 100


class Mda:
    """Stands in for pymmcore-plus's runner."""

    def __init__(self) -> None:
        self.paused = False
        self.status = type("Status", (), {"pause_requested": False})()

    def is_paused(self) -> bool:
        return self.paused

    def set_paused(self, paused: bool) -> None:
        self.paused = paused


class Core:
    def __init__(self) -> None:
        self.mda = Mda()


class Run:
    """Has what a watch needs of a run."""

    def __init__(self) -> None:
        self.path = Path()
        self.plan = plan(RunShape(t=3), interval_s=20.0)
        self.notes: dict[str, Any] = {"last_frame_s": time.time()}


class Disk:
    free = 1000

    def free_bytes(self, path: Path) -> int:
        if self.free < 0:
            raise FileNotFoundError("no such share")
        return self.free


class Setting:
    def __init__(self) -> None:
        self.core, self.run, self.disk = Core(), Run(), Disk()
        runs: Any = lambda: [self.run]  # noqa: E731
        self.watch = Watch(self.core, runs, KEEP_FREE, self.disk.free_bytes)


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Setting]:
    monkeypatch.setattr(watch_module, "LOOK_S", 1000.0)  # the test itself looks
    setting = Setting()
    yield setting
    setting.watch.close()


def test_a_disk_with_room_pauses_nothing(setting: Setting) -> None:
    setting.watch.look()
    assert not setting.core.mda.paused
    assert setting.run.notes["paused"] == ""


def test_a_disk_that_fills_up_pauses_and_room_lets_it_go_on(setting: Setting) -> None:
    setting.disk.free = KEEP_FREE - 1
    setting.watch.look()
    assert setting.core.mda.paused
    assert "of room left" in setting.run.notes["paused"]
    setting.disk.free = KEEP_FREE + 1  # too little to begin again
    setting.watch.look()
    assert setting.core.mda.paused
    setting.disk.free = 2 * KEEP_FREE
    setting.watch.look()
    assert not setting.core.mda.paused
    assert setting.run.notes["paused"] == ""


def test_a_store_that_is_away_pauses_until_it_is_back(setting: Setting) -> None:
    setting.disk.free = -1
    setting.watch.look()
    assert setting.core.mda.paused
    assert "cannot be reached: no such share" in setting.run.notes["paused"]
    setting.disk.free = 1000
    setting.watch.look()
    assert not setting.core.mda.paused


def test_a_pause_by_hand_is_said_and_left_alone(setting: Setting) -> None:
    setting.core.mda.paused = True
    setting.watch.look()
    assert setting.run.notes["paused"].startswith("by hand")
    setting.disk.free = KEEP_FREE - 1
    setting.watch.look()
    setting.disk.free = 1000
    setting.watch.look()
    assert setting.core.mda.paused


def test_where_a_silent_acquisition_hangs_is_known(setting: Setting) -> None:
    released = threading.Event()

    def somebodys_listener() -> None:
        setting.watch.frame_came()
        released.wait(180)

    camera = threading.Thread(target=somebodys_listener)
    camera.start()
    setting.watch.look()
    assert setting.run.notes["at_work_in"] == ""
    setting.run.notes["last_frame_s"] = time.time() - 3600
    setting.watch.look()
    released.set()
    camera.join()
    assert setting.run.notes["at_work_in"].endswith("somebodys_listener")
    assert "test_watch.py, line" in setting.run.notes["at_work_in"]
    setting.run.notes["last_frame_s"] = time.time()
    setting.watch.look()
    assert setting.run.notes["at_work_in"] == ""


def test_what_is_awaited_is_not_overdue(setting: Setting) -> None:
    setting.run.notes["last_frame_s"] = time.time() - 3600
    setting.watch.awaiting(30.0)
    assert setting.run.notes["next_due_s"] == pytest.approx(time.time() + 30, abs=5)
    setting.watch.look()
    assert setting.run.notes["at_work_in"] == ""
