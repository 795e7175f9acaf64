"""One run, followed for every browser that looks at it."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from samcell_dashboard.changes import ChangeLog
from samcell_dashboard.page import Page, compose
from samcell_dashboard.reading import reading
from samcell_dashboard.scans import MAX_POINTS, MAX_SCANS, Point, Scan, points, thin
from samcell_dashboard.sites import SiteState, site_map
from samcell_dashboard.snapshot import take_snapshot
from samcell_dashboard.vitals import Vitals, read_vitals
from samcell_live.records import NAN
from samcell_live.store.reader import RunReader

REFRESH_S = 0.5
REST = 5
"""Reading takes at most one part in so many of the time, however many browsers ask."""
PACE_WINDOW_S = 60.0


class Failure(NamedTuple):
    """A frame without a result, and why."""

    t: int
    view: str
    hours: float | None
    reason: str


Row: TypeAlias = Scan | Point | SiteState | Failure


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows that are new or differ since a cursor, in the order in which they came."""

    cursor: str
    reload: bool
    """The cursor was of another server or another analysis: forget all, these rows are
    the whole run."""
    scans: list[Scan]
    points: list[Point]
    sites: list[SiteState]
    failures: list[Failure]


class RunFeed:
    """Reads a run again when it is time, and remembers the order of what it saw.

    Parameters
    ----------
    reader : RunReader
        The run.
    clock : callable, optional
        Seconds since 1970, UTC.
    """

    def __init__(self, reader: RunReader, clock: Callable[[], float] = time.time) -> None:
        self.reader = reader
        self.places = site_map(reader.plan)
        self._clock = clock
        self._lock = threading.Lock()
        self._page: Page | None = None
        self._fresh_until_s = -math.inf
        self._begin_anew("")

    def _begin_anew(self, edition: str) -> None:
        """Forget what was seen: rows of two analyses must not meet in one chart."""
        self._edition = edition
        # A server that was started again has another order of the same rows.
        self._epoch = secrets.token_hex(4)
        self._log: ChangeLog[tuple[type[Row], int], Row] = ChangeLog()
        plan = self.reader.plan
        self._logged = np.zeros((plan.shape.t, len(plan.views)), dtype=bool)
        self._failed: set[int] = set()
        self._done: deque[tuple[float, int]] = deque()

    def vitals(self) -> Vitals:
        """How the run is, for little reading.

        Raises
        ------
        UnreadableRunError
            If the run is damaged or out of reach; the same holds for every panel.
        """
        with reading(self.reader.path):
            return read_vitals(self.reader, self._clock())

    def page(self) -> Page:
        """Every panel, as of now or a moment ago."""
        with self._lock:
            return self._refreshed()

    def changes(self, cursor: str | None) -> tuple[Page, Changes]:
        """Every panel, and the rows that a browser with this cursor has not seen.

        A browser without a cursor, or with one of another server or analysis, gets the
        whole run, thinned to what a screen can show.
        """
        with self._lock:
            page = self._refreshed()
            place = self._place(cursor)
            rows = list(self._log.since(place or 0).values())
            here = f"{self._epoch}-{self._log.place}"
        found_scans = [row for row in rows if isinstance(row, Scan)]
        found_points = [row for row in rows if isinstance(row, Point)]
        return page, Changes(
            cursor=here,
            reload=place is None,
            scans=thin(found_scans, MAX_SCANS),
            points=thin(found_points, MAX_POINTS),
            sites=[row for row in rows if isinstance(row, SiteState)],
            failures=[row for row in rows if isinstance(row, Failure)],
        )

    def _place(self, cursor: str | None) -> int | None:
        """Place in the log; None for a cursor of another server or analysis."""
        epoch, _, place = (cursor or "").partition("-")
        if epoch != self._epoch or not place.isdecimal():
            return None
        return int(place) if int(place) <= self._log.place else None

    def _refreshed(self) -> Page:
        now_s = self._clock()
        if self._page is not None and now_s < self._fresh_until_s:
            return self._page
        began_s = time.perf_counter()
        with reading(self.reader.path):
            page = self._read(now_s)
        self._page = page
        spent_s = time.perf_counter() - began_s
        self._fresh_until_s = now_s + max(REFRESH_S, REST * spent_s)
        return page

    def _read(self, now_s: float) -> Page:
        snapshot = take_snapshot(self.reader, now_s)
        if snapshot.edition != self._edition:
            self._begin_anew(snapshot.edition)
        counts = snapshot.vitals.account
        self._note_pace(now_s, counts.analysed + counts.failed)
        page = compose(snapshot, self.places, self._analysed_per_s())
        self._record(page)
        return page

    def _note_pace(self, now_s: float, n_done: int) -> None:
        self._done.append((now_s, n_done))
        while now_s - self._done[0][0] > PACE_WINDOW_S:
            self._done.popleft()

    def _analysed_per_s(self) -> float:
        (first_s, first), (last_s, last) = self._done[0], self._done[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else NAN

    def _record(self, page: Page) -> None:
        done = page.grid.analysed | page.grid.failed
        logged = np.zeros_like(done)  # a run of unknown length may have grown, or ended
        logged[: len(self._logged)] = self._logged[: len(done)]
        new = points(page.grid, done & ~logged)
        self._logged = logged | done
        n_views = done.shape[1]
        self._log.update({(Point, row.t * n_views + row.view): row for row in new})
        self._log.update({(Scan, row.t): row for row in page.scans})
        self._log.update({(SiteState, row.site): row for row in page.sites})
        self._log.update(
            {
                (Failure, slot): self._failure(page, slot)
                for slot in self._new_failures(page)
            }
        )

    def _new_failures(self, page: Page) -> list[int]:
        results = page.snapshot.results
        slots = results.index[results["status"] == "failed"].tolist()
        new = [slot for slot in slots if slot not in self._failed]
        self._failed.update(new)
        return new

    def _failure(self, page: Page, slot: int) -> Failure:
        key = self.reader.plan.shape.key(slot)
        elapsed_s = page.snapshot.results["elapsed_s"].to_numpy(dtype=np.float64)
        hours = float(elapsed_s[page.snapshot.results.index.get_loc(slot)]) / 3600
        return Failure(
            t=key.t,
            view=self.reader.plan.view(key).name,
            hours=round(hours, 4) if math.isfinite(hours) else None,
            reason=self.reader.failure(slot, page.snapshot.analysis),
        )
