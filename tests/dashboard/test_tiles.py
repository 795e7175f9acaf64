"""What the four tiles say, and when they say nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from growing_run import START_S, Begin, GrowingRun


def grow(run: GrowingRun, n_timepoints: int, doubling_h: float = 6.0) -> None:
    """Let cells double every so many hours, from 4 in the field on."""
    for t in range(n_timepoints):
        count = 4 * 2 ** (t / doubling_h)
        run.scan(t, n_cells=4, cell_count=count, confluence=count / 100)


def test_an_empty_run_has_dashes_and_says_why(begin: Begin) -> None:
    run = begin()

    assert run.tile("confluence") == "— | no frame has been analysed yet"
    assert run.tile("doubling").startswith("— | needs 8 timepoints")
    assert run.tile("full").startswith("— | needs 8 timepoints")
    assert run.tile("lag") == "0 frames | every acquired frame has its result"


def test_one_frame_has_a_confluence_and_no_doubling_time(begin: Begin) -> None:
    run = begin()
    grow(run, 1)

    assert run.tile("confluence") == "4.0 % | 1 position, latest frame"
    assert run.tile("doubling").startswith("— | needs 8 timepoints with cells; there are 1")


def test_several_positions_have_a_median_and_a_middle_half(begin: Begin) -> None:
    run = begin(p=4)
    for p, confluence in enumerate((0.1, 0.2, 0.3, 0.4)):
        run.acquire(0, p)
        run.analyse(0, p, confluence=confluence)

    said = run.tile("confluence")

    assert said == "25.0 % | median of 4 positions | middle half 17.5 to 32.5 %"


def test_a_failed_frame_leaves_the_last_known_confluence_standing(begin: Begin) -> None:
    run = begin()
    run.scan(0, confluence=0.3)
    run.acquire(1)
    run.fail(1)

    assert run.tile("confluence").startswith("30.0 %")


def test_no_doubling_time_is_shown_before_the_culture_has_grown_by_half(
    begin: Begin,
) -> None:
    run = begin()
    grow(run, 9, doubling_h=40)

    assert run.tile("doubling").startswith("— | needs 1.5-fold growth")


def test_a_doubling_time_comes_with_interval_estimator_and_window(begin: Begin) -> None:
    run = begin()
    grow(run, 10)

    value, interval, making = run.tile("doubling").split(" | ")

    assert value == "6.0 h"
    assert interval.startswith("95 % interval 6.0 to 6.0 h")
    assert making == "log-linear fit on cell count, 0 to 9 h"


def test_the_forecast_has_a_range_that_admits_to_be_uncalibrated(begin: Begin) -> None:
    run = begin()
    grow(run, 10)

    value, between, honesty = run.tile("full").split(" | ")

    assert value.startswith("at ")
    assert between.endswith(" h")
    assert honesty == "range not calibrated"


def test_on_a_real_microscope_the_forecast_is_a_time_of_day(begin: Begin) -> None:
    run = begin(source="microscope", t=12)
    for t in range(10):
        count = 4 * 2 ** (t / 6)
        run.acquire(t, time_s=START_S + 3600 * t)
        run.analyse(t, cell_count=count, confluence=count / 100)

    value = run.tile("full").split(" | ")[0]

    zone = datetime.fromtimestamp(START_S, UTC).astimezone().tzname()
    assert value.endswith(f" {zone}")
    assert ":" in value


def test_a_threshold_that_was_passed_is_a_fact(begin: Begin) -> None:
    run = begin()
    for t, confluence in enumerate((0.5, 0.7, 0.85, 0.9)):
        run.scan(t, confluence=confluence)

    assert run.tile("full") == "2.0 h | reached, hours since the start"


def test_a_recording_without_times_says_so_instead_of_waiting_for_points(
    begin: Begin,
) -> None:
    run = begin(source="replay")
    for t in range(10):
        run.acquire(t, elapsed_s=float("nan"))
        run.analyse(t)

    assert run.tile("doubling") == "— | this recording carries no times"
    assert run.tile("full") == "— | this recording carries no times"


def test_the_lag_counts_frames_and_the_age_of_the_oldest(begin: Begin) -> None:
    run = begin()
    for t in range(3):
        run.acquire(t)
    run.analyse(0)

    page = run.page(now_s=START_S + 10 + 120)

    assert (page.tiles[3].value, page.tiles[3].detail) == (
        "2 frames",
        "oldest waits for 2.0 min",
    )
