"""A dead worker's record says which frames it had in hand, and whose fault it was."""

from collections.abc import Iterator

import pytest

from samcell_live.analysis.worker_health import WorkerHealth, earlier_deaths
from samcell_live.store.processes import Health, ProcessState, State


def health_at(*times_s: float) -> WorkerHealth:
    """Health whose clock shows these times, one after another."""
    clock: Iterator[float] = iter(times_s)
    return WorkerHealth(lambda: next(clock))


def last_worker(health: Health, state: State = "running") -> ProcessState:
    return ProcessState(state, "here", 1, 0.0, 0.0, health=health)


def test_the_time_of_a_frame_is_the_mean_of_the_last() -> None:
    health = health_at(0, 10, 20, 30)
    assert health.figures()["seconds_per_frame"] is None
    for slot in range(2):
        health.begin(slot)
        health.done(slot)
    assert health.figures()["seconds_per_frame"] == pytest.approx(10)


def test_of_frames_side_by_side_each_counts_what_it_adds() -> None:
    health = health_at(0, 1, 2, 10, 20, 30)
    for slot in range(3):
        health.begin(slot)
    health.done(1)
    assert health.figures()["attempting"] == "0 2"
    health.done(0)
    health.done(2)
    assert health.seconds_per_frame == pytest.approx(
        9 + 0.2 * 1 + 0.2 * (10 - 9.2), abs=0.1
    )
    assert health.figures()["attempting"] == ""


def test_a_frame_that_was_alone_in_hand_is_to_blame() -> None:
    last = last_worker({"attempting": "7", "attempts": '{"7": 1}'})
    assert earlier_deaths(last, {7, 8}) == {7: 2}


def test_of_several_frames_in_hand_none_is_blamed_and_all_are_suspects() -> None:
    last = last_worker({"attempting": "7 8", "attempts": '{"9": 1}'})
    assert earlier_deaths(last, {7, 8, 9, 10}) == {7: 0, 8: 0, 9: 1}


def test_a_frame_whose_result_is_there_is_no_suspect() -> None:
    last = last_worker({"attempting": "7 8", "attempts": '{"7": 0}'})
    assert earlier_deaths(last, {8}) == {8: 1}


@pytest.mark.parametrize("state", ["finished", "failed", "cancelled"])
def test_a_worker_that_said_how_it_ended_did_not_die(state: State) -> None:
    last = last_worker({"attempting": "7", "attempts": '{"8": 1}'}, state)
    assert earlier_deaths(last, {7, 8}) == {8: 1}


def test_before_the_first_worker_nothing_died() -> None:
    assert earlier_deaths(None, {7}) == {}
