"""The spool loses nothing, keeps to its memory and survives what the disk does."""

import signal
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from builders import frame, plan

from samcell_live.records import Frame, FrameKey
from samcell_live.store import spool as spool_module
from samcell_live.store.check import check_store
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.spool import Spool

FRAME_BYTES = frame().pixels.nbytes


def frames(n: int) -> list[Frame]:
    return [frame(FrameKey(t=t)) for t in range(n)]


def times(some: Iterable[Frame]) -> list[int]:
    return [one.key.t for one in some]


def test_frames_are_written_in_the_order_they_came() -> None:
    written: list[int] = []
    spool = Spool(lambda *some: written.extend(times(some)), 100 * FRAME_BYTES)
    for one in frames(20):
        spool.offer(one)
    spool.close()
    assert written == list(range(20))
    assert (spool.health.offered, spool.health.written, spool.waiting_bytes) == (20, 20, 0)


def test_offering_returns_while_the_disk_is_busy() -> None:
    disk = threading.Event()
    spool = Spool(lambda *some: assert_set(disk), budget_bytes=100 * FRAME_BYTES)
    for one in frames(5):
        spool.offer(one)
    assert spool.waiting_bytes == 5 * FRAME_BYTES
    disk.set()
    spool.close()
    assert spool.health.written == 5


def assert_set(event: threading.Event) -> None:
    assert event.wait(10)


def test_frames_that_wait_are_written_together_but_not_too_many() -> None:
    is_busy, disk = threading.Event(), threading.Event()
    together: list[int] = []

    def write(*some: Frame) -> None:
        together.append(len(some))
        is_busy.set()
        assert_set(disk)

    spool = Spool(write, budget_bytes=100 * FRAME_BYTES)
    first, *others = frames(12)
    spool.offer(first)
    assert_set(is_busy)
    for one in others:
        spool.offer(one)
    disk.set()
    spool.close()
    assert together == [1, spool_module.MOST_AT_ONCE, 11 - spool_module.MOST_AT_ONCE]


def test_with_memory_full_the_camera_thread_writes_itself_and_nothing_is_lost() -> None:
    disk = threading.Event()
    written: list[tuple[int, str]] = []

    def write(*some: Frame) -> None:
        here = threading.current_thread().name
        if here == "raw-writer":
            assert_set(disk)
        written.extend((t, here) for t in times(some))

    spool = Spool(write, budget_bytes=2 * FRAME_BYTES)
    for one in frames(5):
        spool.offer(one)
    here = threading.current_thread().name
    assert written == [(2, here), (3, here), (4, here)]
    assert spool.health.written_in_place == 3
    disk.set()
    spool.close()
    assert sorted(t for t, _ in written) == [0, 1, 2, 3, 4]


def test_a_disk_that_is_full_for_a_while_costs_no_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool_module, "RETRY_S", 0.001)
    attempts: list[list[int]] = []
    written: list[int] = []

    def write(*some: Frame) -> None:
        attempts.append(times(some))
        if len(attempts) < 4:
            raise OSError("No space left on device")
        written.extend(times(some))

    spool = Spool(write, budget_bytes=100 * FRAME_BYTES)
    for one in frames(2):
        spool.offer(one)
    spool.close()
    assert written == [0, 1]
    assert spool.health.lost == 0
    assert "No space left" in spool.health.last_error


def test_a_disk_that_stays_full_is_given_up_after_the_run_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool_module, "RETRY_S", 0.001)
    monkeypatch.setattr(spool_module, "GIVE_UP_S", 0.01)

    def write(*some: Frame) -> None:
        raise OSError("No space left on device")

    spool = Spool(write, budget_bytes=100 * FRAME_BYTES)
    spool.offer(frame())
    spool.close()
    assert (spool.health.written, spool.health.lost) == (0, 1)


def test_a_frame_that_does_not_fit_does_not_stop_the_others() -> None:
    written: list[int] = []

    def write(*some: Frame) -> None:
        if 1 in times(some):
            raise ValueError("wrong shape")
        written.extend(times(some))

    spool = Spool(write, budget_bytes=100 * FRAME_BYTES)
    for one in frames(3):
        spool.offer(one)
    spool.close()
    assert written == [0, 2]
    assert spool.health.lost == 1
    assert spool.health.last_error == "frame(t=1): wrong shape"


def test_a_camera_that_waits_for_a_full_disk_can_be_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool_module, "RETRY_S", 0.001)

    def write(*some: Frame) -> None:
        raise OSError("No space left on device")

    spool = Spool(write, budget_bytes=0)
    spool.give_up_after(0.01)
    spool.offer(frame())
    assert spool.health.lost == 1
    spool.close()


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")
def test_a_real_write_that_fails_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    monkeypatch.setattr(spool_module, "RETRY_S", 0.05)
    create_run(tmp_path / "run", plan())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        spool = Spool(FrameWriter(tmp_path / "run", plan()).write, budget_bytes=10**9)
        spool.offer(frame())
        deadline = time.monotonic() + 10
        while not spool.health.last_error:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    spool.close()
    assert (spool.health.written, spool.health.lost) == (1, 0)
    assert check_store(tmp_path / "run") == []
