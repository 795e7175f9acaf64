"""A running sequence is changed between its scans, on its own clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from useq import MDAEvent, MDASequence

from samcell_live.microscope.remaining import beginning_at, due_s
from samcell_live.microscope.steering import (
    Report,
    Steering,
    refuse_unsteerable,
    steer,
)

SEQUENCE = MDASequence(
    axis_order="tpc",
    stage_positions=[(0, 0), (1, 0), (2, 0)],
    channels=["phase"],
    time_plan={"interval": 10, "loops": 4},
)


class Runner:
    """A runner whose clock goes on when somebody sleeps, and with each event."""

    def __init__(self, seconds_per_event: float = 0.0) -> None:
        self.now_s = 0.0
        self.seconds_per_event = seconds_per_event
        self.paused_until_s = 0.0
        self.cancelled_at_s = float("inf")
        self.waits: list[float] = []
        self.on_sleep: Callable[[float], None] = lambda now_s: None
        emit = SimpleNamespace(emit=lambda event, seconds: self.waits.append(seconds))
        self.events = SimpleNamespace(awaitingEvent=emit)

    def event_seconds_elapsed(self) -> float:
        return self.now_s

    def is_paused(self) -> bool:
        return self.now_s < self.paused_until_s

    def is_running(self) -> bool:
        return self.now_s < self.cancelled_at_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.on_sleep(self.now_s)

    def acquire(self, events: Iterator[MDAEvent]) -> list[MDAEvent]:
        acquired = []
        for event in events:
            acquired.append(event)
            self.now_s = max(self.now_s, event.min_start_time or 0.0)
            self.now_s += self.seconds_per_event
        return acquired


def acquire(
    steering: Steering,
    runner: Runner,
    *,
    events: Any = SEQUENCE,
) -> list[MDAEvent]:
    return runner.acquire(steer(events, steering, runner, sleep=runner.sleep))


def starts_s(events: list[MDAEvent]) -> list[float]:
    """Start of each scan."""
    return [round(e.min_start_time or 0.0, 3) for e in events if e.index["p"] == 0]


def at(runner: Runner, when_s: float, act: Callable[[], object]) -> None:
    """Do something once the clock has come so far."""
    done: list[object] = []

    def look(now_s: float) -> None:
        if now_s >= when_s and not done:
            done.append(act())

    runner.on_sleep = look


def test_what_nobody_steers_is_acquired_as_it_was_planned() -> None:
    runner = Runner()
    assert acquire(Steering(), runner) == list(SEQUENCE)
    assert runner.now_s >= 30
    assert max(runner.waits) == pytest.approx(10)


def test_a_position_is_skipped_from_the_very_next_scan_on() -> None:
    runner, steering = Runner(), Steering()
    at(runner, 19.5, lambda: steering.skip([1]))
    places = [(event.index["t"], event.index["p"]) for event in acquire(steering, runner)]
    assert (1, 1) in places
    assert [place for place in places if place[0] >= 2] == [(2, 0), (2, 2), (3, 0), (3, 2)]


def test_who_changes_something_learns_which_scan_is_the_last_as_before() -> None:
    runner, steering = Runner(), Steering()
    last: list[int] = []
    at(runner, 15, lambda: last.append(steering.skip([0])))
    acquire(steering, runner)
    assert last == [1]
    assert Steering().stop() == -1


def test_a_run_that_is_stopped_ends_at_once_with_the_scan_at_hand() -> None:
    runner, steering = Runner(), Steering()
    at(runner, 12, steering.stop)
    assert {event.index["t"] for event in acquire(steering, runner)} == {0, 1}
    assert runner.now_s < 13


@pytest.mark.parametrize(
    ("interval_s", "expected"),
    [(25.0, [0, 10, 35, 60]), (4.0, [0, 10, 14, 18])],
)
def test_another_interval_counts_from_the_last_scan(
    interval_s: float, expected: list[float]
) -> None:
    runner, steering = Runner(), Steering()
    at(runner, 11, lambda: setattr(steering, "interval_s", interval_s))
    assert starts_s(acquire(steering, runner)) == expected


def test_an_interval_that_is_over_already_begins_now_and_makes_no_burst() -> None:
    runner, steering = Runner(), Steering()
    at(runner, 17, lambda: setattr(steering, "interval_s", 2.0))
    starts = starts_s(acquire(steering, runner))
    assert starts[:2] == [0, 10]
    assert starts[2] == pytest.approx(17, abs=0.3)
    assert starts[3] == pytest.approx(starts[2] + 2)


def test_scans_that_take_longer_than_the_interval_follow_one_another() -> None:
    runner, steering = Runner(seconds_per_event=2.0), Steering()
    steering.interval_s = 3.0
    assert starts_s(acquire(steering, runner)) == [0, 6, 12, 18]


def test_a_pause_moves_what_is_still_to_come() -> None:
    runner = Runner()
    at(runner, 5, lambda: setattr(runner, "paused_until_s", 12.0))
    starts = starts_s(acquire(Steering(), runner))
    assert starts == pytest.approx([0, 17, 27, 37], abs=0.3)


def test_a_cancelled_run_hands_an_event_over_so_that_it_is_noticed() -> None:
    runner = Runner()
    runner.cancelled_at_s = 3.0
    events = steer(SEQUENCE, Steering(), runner, sleep=runner.sleep)
    for _ in range(4):
        event = next(events)
    assert event.index["t"] == 1
    assert runner.now_s < 4


def no_report(error: Exception | None) -> None:
    raise AssertionError("the one who did it reports")


class Extra:
    """Acquires one frame, and remembers when it was over."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.sequence = MDASequence(
            channels=["nuclei"], time_plan={"interval": 0, "loops": 1}
        )
        self.ended_s: list[float] = []
        self.report: Report = no_report

    def begin(self) -> list[MDAEvent]:
        return list(self.sequence)

    def end(self) -> None:
        self.ended_s.append(self.runner.now_s)


def test_something_else_is_acquired_between_two_scans_on_the_same_clock() -> None:
    runner, steering = Runner(), Steering()
    extra = Extra(runner)
    at(runner, 12, lambda: steering.do_between_scans(extra))
    acquired = acquire(steering, runner)
    (place,) = (n for n, event in enumerate(acquired) if event.sequence == extra.sequence)
    assert acquired[place - 1].index["t"] == 1
    assert acquired[place + 1].index["t"] == 2
    assert acquired[place].min_start_time == pytest.approx(12, abs=0.3)
    assert acquired[place].reset_event_timer is False
    assert extra.ended_s == pytest.approx([12], abs=0.3)
    assert starts_s([*acquired[:place], *acquired[place + 1 :]]) == [0, 10, 20, 30]


def test_something_else_has_the_clock_of_a_run_that_goes_on() -> None:
    runner, steering = Runner(), Steering()
    extra = Extra(runner)
    at(runner, 12, lambda: steering.do_between_scans(extra))
    an_hour_on = [
        beginning_at(event, event.min_start_time or 0.0, 3600 + (event.min_start_time or 0))
        for event in SEQUENCE
    ]
    acquired = acquire(steering, runner, events=an_hour_on)
    (found,) = (event for event in acquired if event.sequence == extra.sequence)
    assert due_s(found) == pytest.approx(3612, abs=0.3)


def test_what_is_broken_off_in_between_is_ended() -> None:
    runner, steering = Runner(), Steering()
    extra = Extra(runner)
    steering.do_between_scans(extra)
    events = steer(SEQUENCE, steering, runner, sleep=runner.sleep)
    assert next(events).sequence == extra.sequence
    events.close()
    assert len(extra.ended_s) == 1


def test_without_time_between_scans_there_is_no_steering() -> None:
    refuse_unsteerable(SEQUENCE)
    with pytest.raises(ValueError, match="time starts again at each position"):
        refuse_unsteerable(SEQUENCE.replace(axis_order="ptc"))
