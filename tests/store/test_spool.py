"""The spool loses nothing, keeps to its memory and survives what the disk does."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from builders import frame, plan, when_waited_for

from samcell_live.records import Frame, FrameKey, RunShape
from samcell_live.store import spool as spool_module
from samcell_live.store.check import check_store
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter, frame_file
from samcell_live.store.reader import RunReader
from samcell_live.store.spool import CAMERA_FIRST_S, Spool

FRAME_BYTES = frame().pixels.nbytes


def frames(n: int) -> list[Frame]:
    return [frame(FrameKey(t=t)) for t in range(n)]


def times(some: Iterable[Frame]) -> list[int]:
    return [one.key.t for one in some]


def test_frames_are_written_in_the_order_they_came() -> None:
    written: list[int] = []
    spool = Spool(
        when_waited_for(lambda *some: written.extend(times(some))), 100 * FRAME_BYTES
    )
    for one in frames(20):
        spool.offer(one)
    spool.close()
    assert written == list(range(20))
    assert (spool.health.offered, spool.health.written, spool.waiting_bytes) == (20, 20, 0)


def test_offering_returns_while_the_disk_is_busy() -> None:
    disk = threading.Event()
    spool = Spool(
        when_waited_for(lambda *some: assert_set(disk)), budget_bytes=100 * FRAME_BYTES
    )
    for one in frames(5):
        spool.offer(one)
    assert spool.waiting_bytes == 5 * FRAME_BYTES
    disk.set()
    spool.close()
    assert spool.health.written == 5


def test_the_thread_that_offered_a_frame_gets_on_before_writing_begins() -> None:
    begun_s: list[float] = []
    spool = Spool(
        when_waited_for(lambda *some: begun_s.append(time.monotonic())), FRAME_BYTES
    )
    offered_s = time.monotonic()
    spool.offer(frame())
    spool.close()
    assert begun_s[0] - offered_s >= CAMERA_FIRST_S


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def assert_set(event: threading.Event) -> None:
    assert event.wait(10)


def test_frames_that_wait_are_written_together_but_not_too_many() -> None:
    is_busy, disk = threading.Event(), threading.Event()
    together: list[int] = []

    def write(*some: Frame) -> None:
        together.append(len(some))
        is_busy.set()
        assert_set(disk)

    spool = Spool(when_waited_for(write), budget_bytes=100 * FRAME_BYTES)
    first, *others = frames(12)
    spool.offer(first)
    assert_set(is_busy)
    for one in others:
        spool.offer(one)
    disk.set()
    spool.close()
    assert together == [1, spool_module.MOST_AT_ONCE, 11 - spool_module.MOST_AT_ONCE]


class Rush:
    """Frames that come while the writing of the first is being begun."""

    def __init__(self, some: list[Frame]) -> None:
        self._frames = some
        self._first_is_begun, self._all_are_there = threading.Event(), threading.Event()

    def hold(self) -> None:
        """Let nothing go on before all frames were offered."""
        self._first_is_begun.set()
        assert_set(self._all_are_there)

    def into(self, spool: Spool) -> None:
        first, *others = self._frames
        spool.offer(first)
        assert_set(self._first_is_begun)
        for one in others:
            spool.offer(one)
        self._all_are_there.set()


def test_no_frame_can_be_seen_before_an_earlier_one_whose_write_is_slow(
    tmp_path: Path,
) -> None:
    path, run_plan = tmp_path / "run", plan(RunShape(t=4))
    create_run(path, run_plan)
    writer, reader = FrameWriter(path, run_plan), RunReader(path)
    rush, disk = Rush(frames(4)), threading.Event()

    def begin(*some: Frame) -> Callable[[], None]:
        rush.hold()
        finish = writer.begin(*some)

        def finish_slowly() -> None:
            assert_set(disk)
            finish()

        return finish_slowly if 0 in times(some) else finish

    spool = Spool(begin, budget_bytes=100 * FRAME_BYTES)
    rush.into(spool)
    wait_until(frame_file(path, run_plan, FrameKey(t=3)).is_file)
    assert not reader.acquired().any()
    disk.set()
    spool.close()
    assert reader.acquired().all()


def test_what_is_begun_first_is_finished_first_and_little_is_under_way() -> None:
    rush = Rush(frames(1 + 3 * spool_module.MOST_AT_ONCE))
    begun: list[int] = []
    finished: list[int] = []
    under_way: list[int] = []

    def begin(*some: Frame) -> Callable[[], None]:
        rush.hold()
        begun.extend(times(some))
        under_way.append(len(begun) - len(finished))
        return lambda: finished.extend(times(some))

    spool = Spool(begin, budget_bytes=100 * FRAME_BYTES)
    rush.into(spool)
    spool.close()
    at_once = spool_module.MOST_AT_ONCE
    assert finished == begun == list(range(1 + 3 * at_once))
    assert under_way == [1, 1 + at_once, 2 * at_once, 2 * at_once]


@pytest.mark.parametrize("when", ["begun", "finished"])
def test_frames_that_fail_hold_up_those_under_way_and_cost_none(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(spool_module, "RETRY_S", 0.001)
    rush = Rush(frames(12))
    failures = iter(range(3))
    written: list[int] = []

    def fail_at_first(some: Iterable[Frame]) -> None:
        if 0 in times(some) and next(failures, None) is not None:
            raise OSError("No space left on device")

    def begin(*some: Frame) -> Callable[[], None]:
        rush.hold()
        if when == "begun":
            fail_at_first(some)

        def finish() -> None:
            if when == "finished":
                fail_at_first(some)
            written.extend(times(some))

        return finish

    spool = Spool(begin, budget_bytes=100 * FRAME_BYTES)
    rush.into(spool)
    spool.close()
    assert written == list(range(12))
    assert (spool.health.written, spool.health.lost) == (12, 0)
    assert "No space left" in spool.health.last_error


def test_with_memory_full_the_camera_thread_writes_itself_and_nothing_is_lost() -> None:
    disk = threading.Event()
    written: list[tuple[int, str]] = []

    def write(*some: Frame) -> None:
        here = threading.current_thread().name
        if here == "raw-writer":
            assert_set(disk)
        written.extend((t, here) for t in times(some))

    spool = Spool(when_waited_for(write), budget_bytes=2 * FRAME_BYTES)
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

    spool = Spool(when_waited_for(write), budget_bytes=100 * FRAME_BYTES)
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

    spool = Spool(when_waited_for(write), budget_bytes=100 * FRAME_BYTES)
    spool.offer(frame())
    spool.close()
    assert (spool.health.written, spool.health.lost) == (0, 1)


def test_a_frame_that_does_not_fit_does_not_stop_the_others() -> None:
    written: list[int] = []

    def write(*some: Frame) -> None:
        if 1 in times(some):
            raise ValueError("wrong shape")
        written.extend(times(some))

    spool = Spool(when_waited_for(write), budget_bytes=100 * FRAME_BYTES)
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

    spool = Spool(when_waited_for(write), budget_bytes=0)
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
        spool = Spool(FrameWriter(tmp_path / "run", plan()).begin, budget_bytes=10**9)
        spool.offer(frame())
        wait_until(lambda: bool(spool.health.last_error))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    spool.close()
    assert (spool.health.written, spool.health.lost) == (1, 0)
    assert check_store(tmp_path / "run") == []
