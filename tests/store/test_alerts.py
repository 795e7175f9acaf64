"""Somebody is told: what is wrong with a run follows from its store alone."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from builders import commit_cells, frame, plan, results_of

from samcell_live.records import NAN, FrameKey, RunShape
from samcell_live.store import layout
from samcell_live.store.alerts import PATIENCE_S, Condition, alerts, judge, patience_s
from samcell_live.store.arrays import write_group
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.plan import RunPlan, View
from samcell_live.store.processes import ACQUISITION, ProcessRecord, ProcessState, State
from samcell_live.store.reader import RunReader

NOW_S = time.time()
NOBODY_PID = 2**22 + 1  # above Linux's largest
TEN_MINUTES_S = 600.0


def process(
    state: State = "running", *, pid: int | None = None, **health: float | str
) -> ProcessState:
    return ProcessState(
        state, socket.gethostname(), pid or os.getpid(), NOW_S, NOW_S, "no power", health
    )


def condition_of(
    run_plan: RunPlan,
    acquisition: ProcessState | None,
    worker: ProcessState | None = None,
    *,
    acquired: Sequence[int] = (),
    n_waiting: int = 0,
    stage_x_um: float = NAN,
) -> Condition:
    """Condition of a run that expects its frames in slot order; the stage at 0 in y."""
    slots = np.arange(run_plan.shape.n_slots, dtype=np.int32)
    there = np.isin(slots, acquired)
    stage_um = np.where(there[:, None], [stage_x_um, 0.0], NAN)
    return Condition(run_plan, there, slots, stage_um, n_waiting, acquisition, worker)


def told(
    acquisition: ProcessState | None,
    worker: ProcessState | None = None,
    *,
    acquired: tuple[int, ...] = (),
    n_waiting: int = 0,
    now_s: float = NOW_S,
) -> list[str]:
    """Kinds of the alerts of a run of six frames, ten minutes apart."""
    run_plan = plan(RunShape(t=6), interval_s=TEN_MINUTES_S)
    condition = condition_of(
        run_plan, acquisition, worker, acquired=acquired, n_waiting=n_waiting
    )
    return [alert.kind for alert in judge(condition, now_s)]


def test_a_run_that_is_well_gives_no_alert() -> None:
    well = process(last_frame_s=NOW_S - 100, next_due_s=NOW_S + 500, lost=0)
    assert told(well, process(), acquired=(0, 1), n_waiting=1) == []


def test_a_run_that_nobody_has_begun_gives_no_alert() -> None:
    assert told(None) == []


@pytest.mark.parametrize(("silent_s", "kinds"), [(299, []), (301, ["stalled"])])
def test_silence_is_an_alert_within_one_interval(silent_s: float, kinds: list[str]) -> None:
    due = process(last_frame_s=NOW_S - 600, next_due_s=NOW_S)
    assert told(due, now_s=NOW_S + silent_s) == kinds


def test_a_scan_that_takes_long_is_not_silent() -> None:
    in_a_scan = process(last_frame_s=NOW_S - 2, next_due_s=NOW_S - 550)
    assert told(in_a_scan) == []


def test_a_stalled_run_says_where_it_hangs() -> None:
    hangs = process(
        last_frame_s=NOW_S - 900, next_due_s=0, at_work_in="peer.py, line 7, on"
    )
    run_plan = plan(RunShape(t=2), interval_s=TEN_MINUTES_S)
    (alert,) = judge(condition_of(run_plan, hangs), NOW_S)
    assert str(alert) == (
        "No frame for 900 s, though one was due; the acquisition is at peer.py, line 7, on."
    )


def test_a_paused_run_says_why_and_is_not_stalled() -> None:
    paused = process(last_frame_s=NOW_S - 9000, next_due_s=0, paused="the disk is full")
    assert told(paused) == ["paused"]


def test_patience_is_measured_on_the_wall_and_not_in_the_culture() -> None:
    hourly = {"microscope": {"kind": "simulated", "speed": 36.0}}
    assert patience_s(plan(interval_s=3600.0, settings=hourly)) == 50
    assert patience_s(plan(interval_s=3600.0)) == 1800
    assert patience_s(plan(interval_s=0.1)) == PATIENCE_S


def test_frames_that_were_passed_over_are_missed_at_once() -> None:
    well = process(last_frame_s=NOW_S)
    assert told(well, acquired=(0, 1, 3)) == ["missing"]
    assert told(well, acquired=(0, 1)) == []


def test_frames_that_wait_for_the_disk_are_not_missing() -> None:
    assert told(process(last_frame_s=NOW_S, waiting_mb=8.0), acquired=(0, 1, 3)) == []


def test_lost_frames_and_a_slow_disk_are_told() -> None:
    poor = process(last_frame_s=NOW_S, lost=1, last_error="full", written_in_place=2)
    assert told(poor) == ["lost", "slow disk"]


@pytest.mark.parametrize(("x_um", "kinds"), [(1001, []), (990, ["astray"]), (NAN, [])])
def test_frames_of_another_place_are_told(x_um: float, kinds: list[str]) -> None:
    where = View(path="0", name="A1", p=0, g=0, x_um=1000, y_um=0)
    run_plan = plan(RunShape(t=2)).model_copy(update={"views": (where,)})
    # The picture is 12 um high.
    condition = condition_of(run_plan, None, acquired=(0,), stage_x_um=x_um)
    found = judge(condition, NOW_S)
    assert [alert.kind for alert in found] == kinds


def test_an_acquisition_that_failed_or_died_is_told() -> None:
    assert told(process("failed")) == ["acquisition"]
    assert told(process(pid=NOBODY_PID)) == ["acquisition"]
    assert told(process("cancelled")) == []


def test_a_worker_that_dies_is_told_and_so_is_one_that_gave_up() -> None:
    restarted = process(last_frame_s=NOW_S, worker="running", worker_restarts=2)
    assert told(restarted, process(), n_waiting=3) == ["analysis"]
    ended = process(last_frame_s=NOW_S, worker="ended")
    assert told(ended, process("failed"), n_waiting=3) == ["analysis"]
    assert told(ended, process("finished"), n_waiting=0) == []
    assert told(process("finished"), process(pid=NOBODY_PID), n_waiting=3) == ["analysis"]


def test_alerts_are_read_from_the_store(tmp_path: Path) -> None:
    path, run_plan = tmp_path / "run", plan(RunShape(t=3), interval_s=TEN_MINUTES_S)
    create_run(path, run_plan)
    writer = FrameWriter(path, run_plan)
    for t in (0, 2):
        writer.write(frame(FrameKey(t=t)))
    commit_cells(results_of(path, run_plan), FrameKey(t=0), 1)
    with ProcessRecord(path, ACQUISITION, lambda: {"last_frame_s": time.time()}):
        (alert,) = alerts(RunReader(path), time.time())
    assert alert.text.startswith("1 frames were due and did not come")
    last = RunReader(path).process(ACQUISITION)
    assert last is not None
    killed = replace(last, state="running", pid=NOBODY_PID)
    write_group(path / layout.process(ACQUISITION), asdict(killed))
    first = alerts(RunReader(path), time.time())[0]
    assert "samcell-live run --resume STORE" in first.text
