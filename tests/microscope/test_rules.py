"""A run acts on its culture: by its own results, between its scans, and written down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from builders import acquired_run, plan, results_of
from growing_run import GrowingRun, begin_run
from useq import MDAEvent, MDASequence

from samcell_live.microscope import experiment
from samcell_live.microscope.cores import microscope
from samcell_live.microscope.experiment import run_experiment
from samcell_live.microscope.rules import RuleKeeper, judged_frames
from samcell_live.microscope.simulated import LIGHT_PATH, culture_of
from samcell_live.records import FrameKey, RunShape, SeriesRow
from samcell_live.settings import RunSettings, SimulatedMicroscope
from samcell_live.simulation.rendering import true_confluence, true_labels
from samcell_live.store.firings import Firing, read_firings
from samcell_live.store.reader import RunReader

SEQUENCE = MDASequence(
    axis_order="tpc",
    stage_positions=[{"x": 0, "y": 0, "name": "left"}, {"x": 1, "y": 0, "name": "right"}],
    channels=["phase"],
    time_plan={"interval": 3600, "loops": 12},
)


def rule(then: Any, **when: Any) -> dict[str, Any]:
    return {"when": {"above": 0.8} | when, "then": then}


def with_rules(*rules: dict[str, Any], **more: Any) -> RunSettings:
    return RunSettings.model_validate({"sequence": SEQUENCE, "rules": rules} | more)


class Hand:
    """A run that grows by hand, and the keeper of its rules."""

    def __init__(self, path: Path, *rules: dict[str, Any]) -> None:
        settings = with_rules(*rules)
        self.run: GrowingRun = begin_run(path, t=12, p=2)
        listening: Any = SimpleNamespace(runs=[SimpleNamespace(path=path)])
        self.keeper = RuleKeeper(settings, None, SEQUENCE, listening)

    def look(self) -> list[Firing]:
        self.keeper.look(at_once=True)
        return read_firings(self.run.path)


def test_what_fires_is_written_down_with_what_made_it_fire(tmp_path: Path) -> None:
    hand = Hand(tmp_path / "run", rule("alert", for_scans=2))
    hand.run.scan(0, confluence=0.81)
    assert hand.look() == []
    hand.run.scan(1, confluence=0.9)
    (firing,) = hand.look()
    assert (firing.group, firing.t, firing.error) == ("all", 1, "")
    assert firing.values == pytest.approx((0.81, 0.9))
    assert abs(firing.time_s - time.time()) < 600
    assert str(firing) == (
        "Rule 'median confluence above 0.8' (all at timepoint 1: 0.81, 0.9): alert"
    )


def test_a_rule_fires_once_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    hand = Hand(
        tmp_path / "run",
        rule("alert") | {"name": "A"},
        rule("alert") | {"name": "B", "once": False},
    )
    for t in range(3):
        hand.run.scan(t, confluence=0.9)
        hand.look()
        hand.look()
    assert [(one.rule, one.t) for one in hand.look()] == [
        ("A", 0),
        ("B", 0),
        ("B", 1),
        ("B", 2),
    ]


def test_a_finished_well_is_not_expected_any_more(tmp_path: Path) -> None:
    hand = Hand(tmp_path / "run", rule("skip_wells", group="each"))
    hand.run.acquire(0, 0)
    hand.run.analyse(0, 0, confluence=0.9)
    hand.run.acquire(0, 1)
    hand.run.analyse(0, 1, confluence=0.5)
    (firing,) = hand.look()
    assert firing.group == "left"
    reader = RunReader(hand.run.path)
    assert reader.counts("cells").expected == 2 + 11
    rows = reader.frames()
    assert rows[rows["p"] == 0]["expected"].sum() == 1


def test_a_rule_that_raises_does_nothing_is_reported_once_and_harms_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Hand(tmp_path / "run", rule("stop") | {"name": "broken"}, rule("alert"))

    def fail() -> int:
        raise RuntimeError("no brakes")

    monkeypatch.setattr(hand.keeper._steering, "stop", fail)
    for t in range(2):
        hand.run.scan(t, confluence=0.9)
        hand.look()
    broken, alert = hand.look()
    assert (broken.rule, broken.error) == ("broken", "RuntimeError: no brakes")
    assert str(broken).endswith(": stop failed, RuntimeError: no brakes")
    assert alert.error == ""
    assert RunReader(hand.run.path).counts("cells").expected == 24


def test_what_cannot_be_written_now_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Hand(tmp_path / "run", rule("stop"))
    hand.run.scan(0, confluence=0.9)

    def no_disk(*arguments: Any, **options: Any) -> int:
        raise OSError("no disk")

    with monkeypatch.context() as patch:
        patch.setattr("samcell_live.microscope.rules.withdraw", no_disk)
        assert hand.look() == []
    assert [one.action for one in hand.look()] == ["stop"]
    assert RunReader(hand.run.path).counts("cells").expected == 2


def test_what_fires_after_the_end_says_that_it_came_too_late(tmp_path: Path) -> None:
    hand = Hand(tmp_path / "run", rule({"interval_s": 60}), rule("alert"))
    hand.keeper._is_over = True
    hand.run.scan(0, confluence=0.9)
    late, alert = hand.look()
    assert late.error == "RuntimeError: it came too late, the acquisition was over"
    assert alert.error == ""


def test_a_run_that_goes_on_remembers_what_its_rules_did(tmp_path: Path) -> None:
    rules = (rule("alert"), rule({"interval_s": 60}))
    hand = Hand(tmp_path / "run", *rules)
    hand.run.scan(0, confluence=0.9)
    assert len(hand.look()) == 2
    settings = with_rules(*rules)
    listening: Any = SimpleNamespace(runs=[SimpleNamespace(path=tmp_path / "run")])
    again = RuleKeeper(settings, None, SEQUENCE, listening)
    hand.run.scan(1, confluence=0.9)
    again.look(at_once=True)
    assert len(read_firings(tmp_path / "run")) == 2
    assert again._steering.interval_s == 60


def test_a_stack_is_judged_by_the_plane_with_its_cells(tmp_path: Path) -> None:
    run_plan = plan(RunShape(t=2, p=1, z=3), segment_z=1)
    acquired_run(tmp_path / "run", run_plan)
    results = results_of(tmp_path / "run", run_plan)
    for z in (0, 1):
        cells = {"confluence": 0.9, "cell_count": 5.0} if z == 1 else {}
        results.commit(FrameKey(z=z), SeriesRow(focus=float(z), **cells))
    frames = judged_frames(RunReader(tmp_path / "run"), "cells")
    assert frames["t"].tolist() == [0, 1]
    assert frames["is_settled"].tolist() == [True, False]
    assert frames["confluence"].iloc[0] == pytest.approx(0.9)
    assert frames["focus"].iloc[0] == 1


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([rule("stop", group="B7")], r"'B7', but there are: all, each, left, right"),
        (
            [rule({"preset": {"group": "Lamp", "name": "on"}})],
            r"'Lamp', which has: no such group; groups are: Channel",
        ),
        (
            [rule({"preset": {"group": "Channel", "name": "nuclei"}})],
            "sets it anew for every frame",
        ),
        ([rule({"sequence": {"channels": ["GFP"]}})], "'GFP' of the group 'Channel'"),
        ([rule({"sequence": {"channels": ["nuclei"]}})], "channels nuclei, but cells"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_before_the_run(
    tmp_path: Path, rules: Sequence[dict[str, Any]], message: str
) -> None:
    settings = with_rules(*rules, analysis={"channel": "phase"})
    with pytest.raises(ValueError, match=message):
        for _ in run_experiment(settings, tmp_path / "run", threading.Event()):
            pass
    assert list(tmp_path.iterdir()) == []


# From here on a simulated microscope really runs, and a worker analyses its frames.

MICROSCOPE = SimulatedMicroscope(
    image_height_px=256,
    image_width_px=256,
    speed=72000,
    seeding_density_per_mm2=250,
    well_pitch_um=1000,
)
WELLS = MDASequence(
    axis_order="tpc",
    stage_positions=[
        {"x": 0, "y": 0, "name": "left"},
        {"x": 1000, "y": 0, "name": "right"},
    ],
    channels=["phase"],
    time_plan={"interval": 0.1, "loops": 24},
)
MEASUREMENT_ERROR = 0.06
"""Of the starter on a simulated field of this size."""
PATIENCE_S = 240.0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "this never came true"
        time.sleep(0.05)


def truth(reader: RunReader, t: int, p: int) -> float:
    """True confluence of a field when it was acquired."""
    frame = reader.frame(FrameKey(t=t, p=p))
    labels = true_labels(
        culture_of(MICROSCOPE),
        frame.row.stage_x_um,
        frame.row.stage_y_um,
        frame.row.elapsed_s / 3600,
        shape_px=frame.pixels.shape,
        pixel_size_um=MICROSCOPE.pixel_size_um,
    )
    return true_confluence(labels)


def run_at_the_pace_of_its_analysis(
    monkeypatch: pytest.MonkeyPatch,
    store: Path,
    *rules: dict[str, Any],
    prepare: Callable[[Any], object] = lambda core: None,
    sequence: MDASequence = WELLS,
    simulated: SimulatedMicroscope = MICROSCOPE,
) -> RunReader:
    """Run an experiment whose camera waits until its frames are analysed and judged."""
    looks: list[RunReader] = []
    look = RuleKeeper._look

    def look_and_tell(keeper: RuleKeeper, reader: RunReader) -> None:
        look(keeper, reader)
        looks.append(reader)

    monkeypatch.setattr(RuleKeeper, "_look", look_and_tell)
    monkeypatch.setattr("samcell_live.microscope.rules.LOOK_S", 0.1)

    @contextmanager
    def patient(settings: RunSettings) -> Iterator[Any]:
        seen: list[MDAEvent] = []

        def wait(image: Any, event: MDAEvent, meta: Any) -> None:
            if event.sequence is None or event.sequence.time_plan is None:
                return  # an extra sequence
            seen.append(event)
            reader = RunReader(store)
            wait_for(lambda: reader.counts("cells").analysed >= len(seen))
            n_before = len(looks)  # and one that goes on now, which may have begun before
            wait_for(lambda: len(looks) >= n_before + 2)

        with microscope(settings) as core:
            prepare(core)
            core.mda.events.frameReady.connect(wait)
            yield core

    monkeypatch.setattr(experiment, "microscope", patient)
    settings = with_rules(*rules, microscope=simulated, sequence=sequence)
    for _ in run_experiment(settings, store, threading.Event()):
        pass
    return RunReader(store)


def last_t(reader: RunReader, p: int) -> int:
    frames = reader.frames()
    return int(frames[frames["acquired"] & (frames["p"] == p)]["t"].max())


@pytest.mark.slow
def test_a_run_stops_itself_at_the_true_threshold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reader = run_at_the_pace_of_its_analysis(
        monkeypatch, tmp_path / "run", rule("stop", above=0.6, statistic="mean")
    )
    (firing,) = read_firings(reader.path)
    before, at = (
        np.mean([truth(reader, t, p) for p in range(2)]) for t in (firing.t - 1, firing.t)
    )
    assert firing.values[0] == pytest.approx(at, abs=MEASUREMENT_ERROR)
    assert before < 0.6 + MEASUREMENT_ERROR
    assert at > 0.6 - MEASUREMENT_ERROR
    assert last_t(reader, 0) == last_t(reader, 1) <= firing.t + 1
    counts = reader.counts("cells")
    assert counts.expected == counts.acquired == counts.analysed < 48
    acquisition = reader.process("acquisition")
    assert acquisition is not None
    assert acquisition.state == "finished"


@pytest.mark.slow
def test_finished_wells_are_skipped_and_the_last_one_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_presets: list[tuple[str, str]] = []

    def with_lamp(core: Any) -> None:
        core.defineConfig("Lamp", "on", LIGHT_PATH, "Label", "nuclei")
        core.defineConfig("Lamp", "broken", LIGHT_PATH, "Label", "no such filter")
        core.events.configSet.connect(lambda *preset: set_presets.append(preset))

    begun = {"above": 0.0}
    nuclei = {"config": "nuclei", "exposure": 50}
    reader = run_at_the_pace_of_its_analysis(
        monkeypatch,
        tmp_path / "run.ome.zarr",
        rule({"preset": {"group": "Lamp", "name": "broken"}}, **begun),
        rule({"preset": {"group": "Lamp", "name": "on"}}, **begun),
        rule({"sequence": {"channels": ["phase", nuclei]}}, group="left", **begun),
        rule("skip_wells", above=0.6, group="each"),
        prepare=with_lamp,
    )
    firings = read_firings(reader.path)
    assert ("Lamp", "on") in set_presets
    assert [one.action for one in firings if not one.error].count("sequence") == 1
    broken, *errors = [one for one in firings if one.error]
    assert (broken.action, errors) == ("preset Lamp: broken", [])
    skipped = {one.group: one for one in firings if one.action == "skip_wells"}
    assert skipped.keys() == {"left", "right"}
    for p, firing in enumerate((skipped["left"], skipped["right"])):
        assert truth(reader, firing.t, p) > 0.6 - MEASUREMENT_ERROR
        assert truth(reader, firing.t - 1, p) < 0.6 + MEASUREMENT_ERROR
        assert last_t(reader, p) <= firing.t + 1
    counts = reader.counts("cells")
    assert counts.expected == counts.acquired == counts.analysed < 48
    extra = RunReader(tmp_path / "run-2.ome.zarr")
    assert [channel.name for channel in extra.plan.channels] == ["phase", "nuclei"]
    assert [view.name for view in extra.plan.views] == ["left"]
    assert extra.counts("cells") == (2, 2, 0, 2, 0, 0)
    assert extra.frames()["exposure_ms"].tolist() == [10, 50]
    assert set(reader.frames()["exposure_ms"].dropna()) == {10}  # as before it


@pytest.mark.slow
def test_scans_follow_at_another_interval_once_a_rule_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Nobody knows when the first result will be there, so the culture grows in real time.
    slow = MICROSCOPE.model_copy(update={"speed": 1.0})
    reader = run_at_the_pace_of_its_analysis(
        monkeypatch,
        tmp_path / "run",
        rule({"interval_s": 4}, above=0.0),
        sequence=WELLS.replace(time_plan={"interval": 6000, "loops": 3}),
        simulated=slow,
    )
    first, second, third = sorted(set(reader.frames()["elapsed_s"]))
    assert first == 0
    assert second < 6000
    assert 3.99 < third - second < 1000  # later only where a slow computer is
    assert reader.counts("cells").missing == 0
