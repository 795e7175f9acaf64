"""The state of a run, in one word and one sentence."""

from __future__ import annotations

import os
import socket

import pytest
from growing_run import START_S, Begin, GrowingRun
from samcell_dashboard.status import Status

from samcell_live.store.arrays import write_group
from samcell_live.store.layout import process
from samcell_live.store.processes import ACQUISITION, ProcessRecord, analysis_role

WORKER = analysis_role("cells")


def said(run: GrowingRun, **page: float) -> tuple[str, str]:
    status = run.page(**page).status
    return status.word, status.sentence


def record(
    run: GrowingRun,
    role: str,
    state: str,
    *,
    heartbeat_s: float = START_S,
    **health: str | float,
) -> None:
    """Leave the record of a process of another computer."""
    write_group(
        run.path / process(role),
        {
            "state": state,
            "host": "scope-pc",
            "pid": 1,
            "started_s": START_S,
            "heartbeat_s": heartbeat_s,
            "message": "ValueError: no camera" if state == "failed" else "",
            "health": health,
        },
    )


def test_a_run_without_a_frame_waits_for_the_first(begin: Begin) -> None:
    assert said(begin()) == ("Waiting", "Waiting for the first of 12 frames.")


def test_a_run_of_unknown_length_says_so(begin: Begin) -> None:
    run = begin(64, is_open=True, expected=[])
    record(run, ACQUISITION, "running")
    assert said(run) == ("Waiting", "Waiting for the first frame.")
    run.scan(0)
    wanted = "1 frame acquired. How many will come is not known."
    assert said(run) == ("Running", wanted)


def test_a_run_that_keeps_up_is_running(begin: Begin) -> None:
    run = begin()
    run.scan(0)

    assert said(run) == ("Running", "1 of 12 frames acquired.")


def test_a_paused_run_says_why(begin: Begin) -> None:
    run = begin()
    run.scan(0)
    record(run, ACQUISITION, "running", paused="the disk has 3 MB of room left")

    assert said(run) == (
        "Paused",
        "Paused: the disk has 3 MB of room left. 1 frame is safe on disk.",
    )


def test_a_stalled_run_is_an_alert_at_the_head_of_the_page(begin: Begin) -> None:
    run = begin(interval_s=600.0)
    run.scan(0)
    record(run, ACQUISITION, "running", last_frame_s=START_S - 301.0)

    assert run.page().warning == "No frame for 301 s, though one was due."


def test_a_few_frames_on_their_way_are_not_a_run_that_is_behind(begin: Begin) -> None:
    run = begin()
    run.acquire(0)
    run.acquire(1)

    assert said(run)[0] == "Running"


def test_a_run_that_is_behind_says_when_it_will_have_caught_up(begin: Begin) -> None:
    run = begin()
    for t in range(6):
        run.acquire(t)

    # One frame arrives every 10 s; analysing one every 5 s gains one in 10 s.
    assert said(run, analysed_per_s=0.2) == (
        "Behind",
        "6 frames behind, caught up in about 1.0 min.",
    )
    assert said(run, analysed_per_s=0.05)[1].endswith("slower than the microscope.")
    assert said(run)[1].endswith("pace not known yet.")


def test_an_ended_acquisition_with_nobody_to_analyse_its_frames_says_what_to_do(
    begin: Begin,
) -> None:
    run = begin(t=2)
    run.acquire(0)
    run.acquire(1)
    record(run, ACQUISITION, "finished")

    word, sentence = said(run, now_s=START_S + 31)

    assert word == "Behind"
    assert sentence.startswith("2 frames without a result, and no analysis is running.")


def test_a_worker_that_loads_its_model_is_waited_for(begin: Begin) -> None:
    run = begin(t=4)
    for t in range(4):
        run.acquire(t)
    record(run, ACQUISITION, "finished")

    assert said(run, now_s=START_S + 29) == (
        "Running",
        "The analysis is starting; 4 frames to analyse.",
    )


@pytest.mark.parametrize("worker", ["starting", "running"])
@pytest.mark.parametrize("state", ["running", "finished"])
def test_nobody_is_told_to_start_an_analysis_that_the_acquisition_has_started(
    begin: Begin, state: str, worker: str
) -> None:
    run = begin(t=4)
    for t in range(4):
        run.acquire(t)
    now_s = START_S + 3600
    record(run, ACQUISITION, state, heartbeat_s=now_s - (60 if state == "finished" else 1),
           worker=worker)  # fmt: skip

    assert said(run, now_s=now_s) == (
        "Running",
        "The analysis is starting; 4 frames to analyse.",
    )


def test_a_worker_that_was_started_and_never_heard_of_is_not_waited_for_for_ever(
    begin: Begin,
) -> None:
    run = begin(t=4)
    run.acquire(0)
    record(run, ACQUISITION, "cancelled", worker="running")

    assert said(run, now_s=START_S + 301)[1].endswith("samcell-live analyse")


def test_what_a_worker_says_of_its_end_counts_more_than_what_was_said_before(
    begin: Begin,
) -> None:
    run = begin(t=4)
    run.acquire(0)
    record(run, ACQUISITION, "finished", worker="running")
    record(run, WORKER, "finished", heartbeat_s=START_S + 5)

    assert said(run, now_s=START_S + 10)[1].endswith("samcell-live analyse")


def test_a_run_whose_worker_has_ended_says_what_to_do(begin: Begin) -> None:
    run = begin(t=4)
    run.acquire(0)
    record(run, ACQUISITION, "finished", worker="ended")

    assert said(run, now_s=START_S + 60)[1].endswith("samcell-live analyse")


def test_a_complete_run_is_finished_with_its_account(begin: Begin) -> None:
    run = begin(t=3)
    run.scan(0)
    run.acquire(1)
    run.fail(1)
    run.end()

    assert said(run) == (
        "Finished",
        "Complete: 1 analysed, 1 failed, 1 missing of 3 frames.",
    )


def test_a_cancelled_run_says_that_it_stopped_early(begin: Begin) -> None:
    run = begin(t=3)
    run.scan(0)
    record(run, ACQUISITION, "cancelled")

    assert said(run)[1].startswith("Stopped early: 1 analysed, 2 missing")


@pytest.mark.parametrize("role", [ACQUISITION, WORKER])
def test_a_process_that_failed_is_named_with_its_reason_and_what_is_safe(
    begin: Begin, role: str
) -> None:
    run = begin()
    run.acquire(0)
    record(run, role, "failed")

    word, sentence = said(run)

    assert word == "Failed"
    assert sentence.endswith("failed: ValueError: no camera. 1 frame is safe on disk.")


def test_an_acquisition_that_fell_silent_has_failed(begin: Begin) -> None:
    run = begin()
    record(run, ACQUISITION, "running")

    word, sentence = said(run, now_s=START_S + 90)

    assert word == "Failed"
    assert sentence == (
        "The acquisition on scope-pc has not been heard of for 1.5 min. "
        "No frame had been acquired."
    )


def test_a_dead_worker_does_not_matter_once_everything_is_analysed(begin: Begin) -> None:
    run = begin(t=1)
    run.scan(0)
    run.end()
    record(run, WORKER, "running")

    assert said(run, now_s=START_S + 90)[0] == "Finished"


def test_a_replay_is_never_mistaken_for_a_live_run(begin: Begin) -> None:
    run = begin(t=2, source="replay")
    run.scan(0)

    going = run.page().status
    run.scan(1)
    run.end()
    over = run.page().status

    assert (going.word, going.is_replay) == ("Replay", True)
    assert (over.word, over.is_replay) == ("Replay · finished", True)


def test_the_end_of_the_run_is_foretold_from_the_pace_of_its_frames(begin: Begin) -> None:
    run = begin(t=12)
    for t in range(4):
        run.scan(t)

    assert run.page().arrivals.eta_s == pytest.approx(80)


def test_a_live_process_of_this_computer_counts_as_alive(begin: Begin) -> None:
    run = begin(t=2)
    run.scan(0)
    with ProcessRecord(run.path, ACQUISITION) as here:
        here.write_now()
        alive: Status = run.page().status

    assert alive.state == "running"
    assert (socket.gethostname(), os.getpid()) != ("scope-pc", 1)
