"""A worker that dies is replaced, and every frame is still analysed exactly once."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from builders import frame, plan

from samcell_live.analysis import supervisor
from samcell_live.analysis.live_run import LiveRun
from samcell_live.analysis.supervisor import WorkerProcess
from samcell_live.records import RunShape
from samcell_live.store.check import check_store
from samcell_live.store.reader import RunReader


def wait_for(condition: Callable[[], bool], timeout_s: float = 180) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "this never came true"
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_killed_worker_is_replaced_and_each_frame_is_analysed_once(
    tmp_path: Path,
) -> None:
    run_plan = plan(RunShape(t=4))
    run = LiveRun(tmp_path / "run", run_plan)
    reader = RunReader(tmp_path / "run")
    keys = list(run_plan.shape.all_keys())
    for key in keys[:2]:
        run.offer(frame(key))
    wait_for(lambda: reader.counts("cells").analysed == 2)
    first = reader.process("analysis-cells")
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    for key in keys[2:]:
        run.offer(frame(key))
    run.finish("finished")
    assert run.wait(180)
    second = reader.process("analysis-cells")
    assert second is not None
    assert second.pid != first.pid
    assert run.worker.restarts == 1
    assert reader.counts("cells") == (4, 4, 0, 4, 0, 0)
    assert check_store(tmp_path / "run") == []


def child_at(store: Path) -> psutil.Process:
    children = psutil.Process().children()
    return next(child for child in children if str(store) in child.cmdline())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such class")
def test_a_worker_computes_when_the_acquisition_leaves_the_processor_to_it(
    tmp_path: Path,
) -> None:
    run = LiveRun(tmp_path / "run", plan(RunShape(t=1)))
    try:
        pid = child_at(run.path).pid
        assert os.sched_getscheduler(pid) == os.SCHED_IDLE
        # It counts between processes of one session; Ctrl-C goes to one process group.
        assert os.getsid(pid) == os.getsid(0)
        assert os.getpgid(pid) != os.getpgid(0)
    finally:
        run.worker.kill()


def test_a_worker_that_is_refused_is_not_started_again(tmp_path: Path) -> None:
    settings = {"analysis": {"segmentation": {"model": "no-such-model"}}}
    run = LiveRun(tmp_path / "run", plan(RunShape(t=1), settings=settings))
    run.finish("finished")
    assert run.wait(180)
    assert run.worker.restarts == 0
    assert "no-such-model" in run.worker.error


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let workers be scripts that end with the exit codes given, and then with the last."""
    if sys.platform == "win32":
        pytest.skip("the stand-in is a shell script")
    script, codes, starts = (tmp_path / name for name in ("worker", "codes", "starts"))

    def ending_with(*exit_codes: int) -> None:
        codes.write_text("\n".join(map(str, exit_codes)) + "\n")
        script.write_text(
            "#!/bin/sh\n"
            f"echo started >> {starts}\n"
            f"n=$(wc -l < {starts})\n"
            "echo the reason >&2\n"
            f"exit $(head -n $n {codes} | tail -n 1)\n"
        )
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))
        monkeypatch.setattr(supervisor, "POLL_S", 0.001)
        monkeypatch.setattr(supervisor, "MAX_PAUSE_S", 0.002)

    return ending_with


def n_starts(folder: Path) -> int:
    return len((folder / "starts").read_text().split())


def test_a_worker_that_finds_another_at_work_begins_when_that_one_is_gone(
    tmp_path: Path, stand_in: Callable[..., None]
) -> None:
    stand_in(2, 0)
    others_looks = iter([True] * 5)
    worker = WorkerProcess(
        tmp_path,
        lambda: 0,
        is_acquiring=lambda: True,
        is_taken=lambda: next(others_looks, False),
    )
    assert worker.wait(180)
    assert n_starts(tmp_path) == 2
    assert worker.figures() == {"worker": "ended", "worker_restarts": 0, "worker_error": ""}


def test_while_frames_come_no_worker_is_given_up(
    tmp_path: Path, stand_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(1)
    monkeypatch.setattr(supervisor, "MAX_RESTARTS", 2)
    worker = WorkerProcess(
        tmp_path,
        lambda: 0,
        is_acquiring=lambda: n_starts(tmp_path) < 6,
        is_taken=lambda: False,
    )
    assert worker.wait(180)
    assert worker.restarts == 5
    assert worker.error == "the reason"


def test_a_worker_is_started_again_until_it_is_done(
    tmp_path: Path, stand_in: Callable[..., None]
) -> None:
    stand_in(1, 1, 0)
    worker = WorkerProcess(
        tmp_path, lambda: 0, is_acquiring=lambda: False, is_taken=lambda: False
    )
    assert worker.wait(180)
    assert (n_starts(tmp_path), worker.restarts) == (3, 2)
