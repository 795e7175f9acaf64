"""Tables to the rows that are charted."""

from __future__ import annotations

import numpy as np
from growing_run import Begin
from hypothesis import given
from hypothesis import strategies as st
from samcell_dashboard.scans import Point, points, scans, thin
from samcell_dashboard.snapshot import Grid

from samcell_live.records import FrameKey


def grid_of(confluence: list[list[float]]) -> Grid:
    """Every frame acquired; NaN failed."""
    values = np.array(confluence)
    everything = np.ones(values.shape, dtype=bool)
    analysed = np.isfinite(values)
    return Grid(
        slots=np.arange(values.size).reshape(values.shape),
        to_come=~everything,
        acquired=everything,
        analysed=analysed,
        failed=~analysed,
        hours=np.repeat(np.arange(len(values), dtype=float)[:, None], values.shape[1], 1),
        confluence=values,
        cell_count=values * 100,
        cell_likeness=values * 0 + 1,
    )


def test_a_timepoint_is_its_median_with_the_middle_half() -> None:
    grid = grid_of([[0.1, 0.2, 0.3, 0.4, 0.5]])

    (scan,) = scans(grid, np.array([True]))

    assert (scan.confluence_low, scan.confluence, scan.confluence_high) == (0.2, 0.3, 0.4)
    assert scan.cell_count == 30


def test_failed_frames_are_counted_and_left_out_of_the_median() -> None:
    grid = grid_of([[0.1, np.nan, 0.3]])

    (scan,) = scans(grid, np.array([True]))

    assert (scan.n_analysed, scan.n_failed, scan.confluence) == (2, 1, 0.2)


def test_a_timepoint_without_any_result_is_unknown_and_not_zero() -> None:
    (scan,) = scans(grid_of([[np.nan, np.nan]]), np.array([True]))

    assert scan.confluence is None
    assert scan.cell_count is None


def test_points_are_the_frames_that_were_marked() -> None:
    grid = grid_of([[0.1, 0.2], [0.3, np.nan]])

    found = points(grid, np.array([[False, True], [False, True]]))

    assert found == [Point(0, 1, 0.0, 0.2, 20.0), Point(1, 1, 1.0, None, None)]


@given(
    n_timepoints=st.integers(0, 300), n_views=st.integers(1, 8), most=st.integers(1, 500)
)
def test_thinning_keeps_the_newest_and_never_exceeds_the_most_by_more_than_a_scan(
    n_timepoints: int, n_views: int, most: int
) -> None:
    rows = [
        Point(t, v, None, None, None) for t in range(n_timepoints) for v in range(n_views)
    ]

    kept = thin(rows, most)

    assert len(kept) <= most + n_views
    assert {row.t for row in rows[-1:]} <= {row.t for row in kept}
    assert kept == [row for row in rows if row in set(kept)]


def test_half_a_plate_is_not_charted_while_the_rest_is_still_coming(begin: Begin) -> None:
    run = begin(t=3, p=2)
    run.scan(0)
    run.acquire(1, p=0)
    run.analyse(1, p=0)

    assert [scan.t for scan in run.page().scans] == [0]

    run.acquire(1, p=1)
    assert [scan.t for scan in run.page().scans] == [0]

    run.analyse(1, p=1)
    assert [scan.t for scan in run.page().scans] == [0, 1]


def test_a_timepoint_with_a_missing_frame_is_charted_once_the_run_has_moved_on(
    begin: Begin,
) -> None:
    run = begin(t=3, p=2)
    run.acquire(0, p=0)
    run.analyse(0, p=0)
    run.acquire(1, p=0)

    assert [scan.t for scan in run.page().scans] == [0]


def test_positions_that_are_acquired_one_after_the_other_are_awaited(begin: Begin) -> None:
    order = [FrameKey(t=t, p=p) for p in range(2) for t in range(2)]
    run = begin(t=2, p=2, expected=order)
    for key in order[:2]:
        run.acquire(key.t, key.p)
        run.analyse(key.t, key.p)

    assert run.page().scans == []

    run.acquire(1, 1)
    run.analyse(1, 1)
    assert [scan.t for scan in run.page().scans] == [0, 1]


def test_a_frame_that_was_passed_over_does_not_hold_up_its_timepoint(begin: Begin) -> None:
    run = begin(t=2, p=3)
    run.acquire(0, p=0)
    run.analyse(0, p=0)
    run.acquire(0, p=2)
    run.analyse(0, p=2)

    assert [scan.t for scan in run.page().scans] == [0]
