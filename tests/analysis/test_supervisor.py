"""A worker that dies is replaced, and every frame is still analysed exactly once."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import frame, plan

from samcell_live.analysis.live_run import LiveRun
from samcell_live.records import RunShape
from samcell_live.store.check import check_store
from samcell_live.store.reader import RunReader


def wait_for(condition: Callable[[], bool], timeout_s: float = 60) -> None:
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
    assert run.wait(60)
    second = reader.process("analysis-cells")
    assert second is not None
    assert second.pid != first.pid
    assert run.worker.restarts == 1
    assert reader.counts("cells") == (4, 4, 0, 4, 0, 0)
    assert check_store(tmp_path / "run") == []


def test_a_worker_that_is_refused_is_not_started_again(tmp_path: Path) -> None:
    settings = {"analysis": {"segmentation": {"model": "no-such-model"}}}
    run = LiveRun(tmp_path / "run", plan(RunShape(t=1), settings=settings))
    run.finish("finished")
    assert run.wait(60)
    assert run.worker.restarts == 0
    assert "no-such-model" in run.worker.error
