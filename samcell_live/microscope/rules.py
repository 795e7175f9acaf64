"""Acting on the culture: rules are judged on committed results, and followed."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pandas as pd
from useq import MDASequence

from samcell_live.culture.crossings import Crossing, crossings
from samcell_live.microscope.errands import (
    ExtraSequence,
    PresetChange,
    at_positions,
)
from samcell_live.microscope.groups import positions_by_name
from samcell_live.microscope.monitor import Monitor
from samcell_live.microscope.rule_checks import refuse_impossible_rules
from samcell_live.microscope.steering import Steering, steered
from samcell_live.rules import ALL, AcquireOnce, ChangeInterval, Rule, SetPreset
from samcell_live.settings import RunSettings
from samcell_live.store.firings import Firing, read_firings, write_firings
from samcell_live.store.reader import RunReader
from samcell_live.store.withdrawal import withdraw

logger = logging.getLogger(__name__)

LOOK_S = 0.5
"""Results are looked at this often."""
TOO_LATE = "it came too late, the acquisition was over"


class RuleKeeper:
    """Judges the rules of a run, does what they say, and writes it down in the run.

    Looked at from the acquisition's own loop, never from the camera's thread. A rule that
    raises does nothing, is reported, and harms no other.

    Parameters
    ----------
    settings : RunSettings
        With the rules.
    core : pymmcore_plus.CMMCorePlus
        Acquires the run.
    sequence : useq.MDASequence
        What it acquires.
    listening : Monitor
        Records it; its first run is the one that is judged.

    Raises
    ------
    ValueError
        If a rule could not be followed; see `refuse_impossible_rules`.
    """

    def __init__(
        self, settings: RunSettings, core: Any, sequence: MDASequence, listening: Monitor
    ) -> None:
        channel = settings.analysis.channel
        refuse_impossible_rules(settings.rules, core, sequence, channel)
        self._rules = settings.rules
        self._core = core
        self._sequence = sequence
        self._positions = positions_by_name(sequence)
        self._finished: set[int] = set()
        self._listening = listening
        self._steering = Steering()
        self._reader: RunReader | None = None
        self._firings: list[Firing] = []
        self._unwritten: deque[Firing] = deque()
        """Filled by the camera's thread, too."""
        self._withdrawn: deque[tuple[int, set[int] | None]] = deque()
        """After which timepoint nothing is expected any more, and where."""
        self._fired: dict[tuple[str, str, str], int] = {}
        """Timepoint at which a rule, by title and action, last fired for a group."""
        self._judged: object = None
        self._next_look_s = 0.0
        self._is_over = False

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Let the rules change what the core acquires in this block; then only alert."""
        with steered(self._core, self._steering) if self._rules else nullcontext():
            yield
        self._is_over = True
        while (errand := self._steering.next_errand()) is not None:
            errand.report(RuntimeError(TOO_LATE))

    def look(self, *, at_once: bool = False) -> None:
        """Judge the rules if there is anything new, now and then or at once."""
        if not (self._rules and self._listening.runs):
            return
        if time.monotonic() < self._next_look_s and not at_once:
            return
        self._next_look_s = time.monotonic() + LOOK_S
        try:
            self._look(self._reader or self._begin())
        except Exception:  # a share that is away, or our own mistake: the run goes on
            logger.warning("The rules could not be judged", exc_info=True)

    def _begin(self) -> RunReader:
        self._reader = RunReader(self._listening.runs[0].path)
        self._firings = read_firings(self._reader.path)
        known = {(rule.title, str(rule.then)): rule.then for rule in self._rules}
        for one in self._firings:  # of a run that goes on
            if one.values:
                self._fired[one.rule, one.action, one.group] = one.t
            then = known.get((one.rule, one.action))
            if isinstance(then, ChangeInterval) and not one.error:
                self._steering.interval_s = then.interval_s
        return self._reader

    def _look(self, reader: RunReader) -> None:
        analysis = reader.plan.analysis.name
        news = reader.counts(analysis)
        if news != self._judged:
            frames = judged_frames(reader, analysis)
            for rule in self._rules:
                self._judge(rule, frames)
            self._judged = news
        while self._withdrawn:  # what cannot be written now is tried again
            after_t, positions = self._withdrawn[0]
            withdraw(reader.path, after_t=after_t, positions=positions)
            self._withdrawn.popleft()
        if new := list(self._unwritten):
            write_firings(reader.path, [*self._firings, *new])
            self._firings += [self._unwritten.popleft() for _ in new]

    def _judge(self, rule: Rule, frames: pd.DataFrame) -> None:
        try:
            table = frames.assign(value=frames[rule.when.column])
            found = crossings(rule.when, self._positions, table)
        except Exception as error:  # this rule does nothing, and the others go on
            logger.debug("A rule could not be judged", exc_info=True)
            group = rule.when.group
            self._report(self._firing(rule, Crossing(group, -1, ())), error)
            return
        for crossing in found:
            last = self._fired.get((rule.title, str(rule.then), crossing.group))
            if last is None or (not rule.once and crossing.t > last):
                self._fire(rule, crossing)

    def _fire(self, rule: Rule, crossing: Crossing) -> None:
        firing = self._firing(rule, crossing)
        self._fired[firing.rule, firing.action, firing.group] = firing.t
        try:
            if self._is_over and rule.then != "alert":
                raise RuntimeError(TOO_LATE)
            self._follow(rule, firing)
        except Exception as error:  # a rule that raises does nothing
            logger.debug("A rule could not be followed", exc_info=True)
            self._report(firing, error)

    def _follow(self, rule: Rule, firing: Firing) -> None:
        steering, then = self._steering, rule.then
        members = self._members(firing.group)

        def report(error: Exception | None) -> None:
            self._report(firing, error)

        match then:
            case SetPreset():
                steering.do_between_scans(PresetChange(self._core, then.preset, report))
                return
            case AcquireOnce():
                extra = at_positions(then.sequence, self._sequence, members)
                steering.do_between_scans(
                    ExtraSequence(self._core, self._listening, extra, report)
                )
                return
            case ChangeInterval():
                steering.interval_s = then.interval_s
            case "stop":
                self._withdrawn.append((steering.stop(), None))
            case "skip_wells":
                self._withdrawn.append((steering.skip(members), members))
                self._finished |= members
                if self._finished >= self._members(ALL):
                    steering.stop()
        report(None)

    def _members(self, group: str) -> set[int]:
        groups = self._positions
        return set(groups[group]) if group in groups else set().union(*groups.values())

    def _firing(self, rule: Rule, crossing: Crossing) -> Firing:
        return Firing(time.time(), rule.title, str(rule.then), *crossing)

    def _report(self, firing: Firing, error: Exception | None) -> None:
        """Write down what was done, or why nothing was; one reason of a rule only once."""
        if error is not None:
            firing = replace(firing, error=f"{type(error).__name__}: {error}")
            known = [*self._firings, *self._unwritten]
            if (firing.rule, firing.error) in {(one.rule, one.error) for one in known}:
                return
        logger.warning("%s", firing)
        self._unwritten.append(firing)


def judged_frames(reader: RunReader, analysis: str) -> pd.DataFrame:
    """Tabulate what rules are judged by: the frames that carry the cells.

    Returns
    -------
    DataFrame
        One row for each z-stack in which cells are looked for: ``t``, ``p``,
        ``is_settled`` (no cells will come any more, or they are there), and the columns
        of the growth series, NaN where there is no result.
    """
    results = reader.series(analysis)  # before the frames: a result never lacks its frame
    frames = reader.frames()
    results = results.reindex(frames.index)
    last = frames["rank"].where(frames["acquired"], -1).max()
    is_passed_over = ~frames["acquired"] & (frames["rank"] < last)
    plan = reader.plan
    wanted = frames["expected"] & (frames["c"] == plan.segment_c)
    table = results.assign(
        t=frames["t"],
        p=frames["p"],
        g=frames["g"],
        is_settled=results["status"].notna() | is_passed_over,
        has_cells=results["cell_count"].notna(),
    )[wanted & (frames["cam"] == plan.segment_cam)]
    stacks = table.groupby(["t", "p", "g"])
    is_settled = stacks["is_settled"].transform("all") | stacks["has_cells"].transform(
        "any"
    )
    ordered = table.assign(is_settled=is_settled).sort_values("has_cells", kind="stable")
    return ordered.drop_duplicates(["t", "p", "g"], keep="last").sort_index()
