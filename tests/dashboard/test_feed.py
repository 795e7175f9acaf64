"""Cursors: a browser hears of every row once, in the order in which rows came."""

from __future__ import annotations

import shutil
from dataclasses import replace

from builders import MAKING, results_of
from growing_run import START_S, Begin, GrowingRun
from samcell_dashboard.changes import ChangeLog
from samcell_dashboard.feed import RunFeed

from samcell_live.store.layout import analysis
from samcell_live.store.plan import GROWTH_T
from samcell_live.store.processes import ACQUISITION, ProcessRecord
from samcell_live.store.reader import RunReader
from samcell_live.store.results import open_analysis


class Clock:
    """Time that passes between two requests."""

    def __init__(self) -> None:
        self.now_s = START_S

    def __call__(self) -> float:
        self.now_s += 60
        return self.now_s


def follow(run: GrowingRun) -> RunFeed:
    return RunFeed(RunReader(run.path), Clock())


def test_a_new_browser_gets_the_whole_run(begin: Begin) -> None:
    run = begin(4, 2)
    run.scan(0)
    run.scan(1)

    _, changes = follow(run).changes(None)

    assert changes.reload
    assert [scan.t for scan in changes.scans] == [0, 1]
    assert [(point.t, point.view) for point in changes.points] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]


def test_a_browser_that_knows_everything_is_told_nothing(begin: Begin) -> None:
    run = begin()
    run.scan(0)
    feed = follow(run)
    _, first = feed.changes(None)

    _, second = feed.changes(first.cursor)

    assert not second.reload
    assert second.cursor == first.cursor
    told = (second.scans, second.points, second.sites, second.failures)
    assert told == ([], [], [], [])


def test_a_browser_sees_a_run_of_unknown_length_grow(begin: Begin) -> None:
    run = begin(GROWTH_T, 2, is_open=True, expected=[])
    run.scan(0)
    feed = follow(run)
    with ProcessRecord(run.path, ACQUISITION):
        page, changes = feed.changes(None)
        assert page.grid.to_come[1].all()

        run.acquire(GROWTH_T + 1)
        run.analyse(GROWTH_T + 1)
        page, news = feed.changes(changes.cursor)

    assert len(page.grid.hours) == 2 * GROWTH_T
    assert [(point.t, point.view) for point in news.points] == [(GROWTH_T + 1, 0)]
    assert page.grid.to_come[GROWTH_T + 1].tolist() == [False, True]
    assert not page.grid.to_come[1].any()


def test_after_its_cursor_a_browser_gets_only_what_is_new(begin: Begin) -> None:
    run = begin()
    run.scan(0)
    feed = follow(run)
    cursor = feed.changes(None)[1].cursor
    run.scan(1)

    _, changes = feed.changes(cursor)

    assert not changes.reload
    assert [scan.t for scan in changes.scans] == [1]
    assert [point.t for point in changes.points] == [1]


def test_results_that_come_out_of_order_are_not_missed(begin: Begin) -> None:
    run = begin()
    for t in range(3):
        run.acquire(t)
    run.analyse(2)
    feed = follow(run)
    cursor = feed.changes(None)[1].cursor
    run.analyse(0)

    _, changes = feed.changes(cursor)

    assert [point.t for point in changes.points] == [0]


def test_two_browsers_do_not_take_rows_from_each_other(begin: Begin) -> None:
    run = begin()
    feed = follow(run)
    one, other = feed.changes(None)[1].cursor, feed.changes(None)[1].cursor
    run.scan(0)

    first = feed.changes(one)[1]
    second = feed.changes(other)[1]

    assert first.points == second.points
    assert len(first.points) == 1


def test_a_cursor_of_another_server_makes_the_browser_begin_anew(begin: Begin) -> None:
    run = begin()
    run.scan(0)
    of_the_old_server = follow(run).changes(None)[1].cursor

    _, changes = follow(run).changes(of_the_old_server)

    assert changes.reload
    assert len(changes.points) == 1


def test_nonsense_for_a_cursor_makes_the_browser_begin_anew(begin: Begin) -> None:
    run = begin()
    run.scan(0)
    feed = follow(run)
    epoch = feed.changes(None)[1].cursor.partition("-")[0]

    for nonsense in ("", "12", f"{epoch}-", f"{epoch}--1", f"{epoch}-999", f"{epoch}-x"):
        assert feed.changes(nonsense)[1].reload


def test_two_analyses_are_never_mixed(begin: Begin) -> None:
    run = begin(analysis="first")
    run.scan(0, n_cells=3)
    run.acquire(1)
    run.fail(1)
    feed = follow(run)
    _, of_the_first = feed.changes(None)
    other = replace(run, results=results_of(run.path, run.plan, "cells"))
    other.analyse(1, n_cells=7)

    page, changes = feed.changes(of_the_first.cursor)

    assert page.snapshot.analysis == "cells"
    assert changes.reload
    assert [(point.t, point.cell_count) for point in changes.points] == [(1, 7)]
    assert changes.failures == []
    assert [scan.t for scan in changes.scans] == [1]


def test_an_analysis_that_is_made_again_under_its_name_begins_anew(begin: Begin) -> None:
    run = begin()
    run.scan(0, n_cells=3)
    feed = follow(run)
    _, before = feed.changes(None)
    shutil.rmtree(run.path / analysis("cells"))
    made = replace(MAKING, model="another")
    again = replace(run, results=open_analysis(run.path, run.plan, "cells", made))
    again.analyse(0, n_cells=4)

    _, changes = feed.changes(before.cursor)

    assert changes.reload
    assert [point.cell_count for point in changes.points] == [4]


def test_a_failure_comes_with_its_reason_once(begin: Begin) -> None:
    run = begin()
    run.acquire(3)
    run.fail(3, reason="RuntimeError: out of memory")
    feed = follow(run)
    _, first = feed.changes(None)

    _, second = feed.changes(first.cursor)

    assert [(row.t, row.reason) for row in first.failures] == [
        (3, "RuntimeError: out of memory")
    ]
    assert second.failures == []


def test_a_missing_frame_closes_its_timepoint_without_a_new_result(begin: Begin) -> None:
    run = begin(3, 2)
    run.acquire(0, 0)
    run.analyse(0, 0)
    feed = follow(run)
    cursor = feed.changes(None)[1].cursor
    run.acquire(1, 0)

    _, changes = feed.changes(cursor)

    assert [scan.t for scan in changes.scans] == [0]


def test_the_disk_is_not_read_for_every_browser(begin: Begin) -> None:
    run = begin()
    feed = RunFeed(RunReader(run.path), lambda: START_S)

    assert feed.page() is feed.page()


def test_a_row_that_changed_twice_is_told_once_with_its_last_value() -> None:
    log: ChangeLog[str, int] = ChangeLog()
    for value in (1, 2, 3):
        log.update({"scan": value})

    assert log.since(0) == {"scan": 3}
    assert log.since(2) == {"scan": 3}
    assert log.since(log.place) == {}
