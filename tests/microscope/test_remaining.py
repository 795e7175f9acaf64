"""A run that broke off brings what it lacks, each frame when it is due."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from builders import acquired_run, frame, plan
from no_worker import analyse_nothing
from pymmcore_plus.mda import MDARunner
from useq import MDAEvent, MDASequence

import samcell_live
from samcell_live.microscope.experiment import resume_experiment, run_experiment
from samcell_live.microscope.remaining import due_s, remaining
from samcell_live.microscope.simulated import simulated_core
from samcell_live.records import FrameKey, RunShape
from samcell_live.settings import RunSettings, SimulatedMicroscope
from samcell_live.store.check import check_store
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.processes import ACQUISITION, ProcessRecord, RoleTakenError
from samcell_live.store.reader import RunReader

MICROSCOPE = SimulatedMicroscope(image_height_px=96, image_width_px=128, speed=36000.0)
SEQUENCE = MDASequence(
    axis_order="tpc",
    stage_positions=[(0, 0), (40, 0)],
    channels=["phase"],
    time_plan={"interval": 600, "loops": 6},
)
HOUR_S = 3600.0


def settings(sequence: MDASequence) -> RunSettings:
    return RunSettings(name="test", microscope=MICROSCOPE, sequence=sequence)


def broken_off(path: Path, sequence: MDASequence, frames: dict[int, float]) -> RunReader:
    """Run of which these slots were acquired, at these seconds of its clock, till now."""
    sizes = sequence.sizes
    run_plan = plan(
        RunShape(t=sizes["t"], p=sizes["p"]), sequence=sequence.model_dump(mode="json")
    )
    keys = [FrameKey.from_index(event.index) for event in sequence]
    create_run(path, run_plan, keys)
    writer = FrameWriter(path, run_plan)
    began_s = time.time() - max(frames.values(), default=0.0)
    for slot, elapsed_s in frames.items():
        key = run_plan.shape.key(slot)
        writer.write(frame(key, elapsed_s=elapsed_s, time_s=began_s + elapsed_s))
    return RunReader(path)


def places(events: list[MDAEvent]) -> list[tuple[int, int]]:
    return [(event.index["t"], event.index["p"]) for event in events]


def test_what_is_on_disk_does_not_come_again(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", SEQUENCE, {0: 0.0, 1: 9.0, 2: 600.0, 4: 1200.0})
    left = list(remaining(tmp_path / "run"))
    assert places(left)[:3] == [(1, 1), (2, 1), (3, 0)]
    assert len(left) == 8


def test_a_frame_is_due_when_it_was_due_and_what_is_overdue_comes_at_once(
    tmp_path: Path,
) -> None:
    broken_off(tmp_path / "run", SEQUENCE, {0: 0.0, 1: 9.0, 2: 600.0})
    left = list(remaining(tmp_path / "run"))
    waits_s = [event.min_start_time or 0.0 for event in left]
    assert waits_s == pytest.approx(
        [0, *[n * 600.0 for n in (1, 1, 2, 2, 3, 3, 4, 4)]], abs=5
    )
    assert [due_s(event) for event in left[:2]] == [600, 1200]
    assert not any(event.reset_event_timer for event in left)


def test_the_time_in_which_the_run_lay_still_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_off(tmp_path / "run", SEQUENCE, {0: 0.0, 1: 9.0})
    later = time.time() + 1500
    monkeypatch.setattr(time, "time", lambda: later)
    sequence = remaining(tmp_path / "run")
    assert sequence.clock_s() == pytest.approx(1509, abs=5)
    assert [(event.min_start_time or 0) > 0 for event in sequence] == [False] * 4 + [
        True
    ] * 6


def test_a_clock_that_was_set_back_does_not_delay_a_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_off(tmp_path / "run", SEQUENCE, {0: 0.0, 1: 9.0, 2: 600.0})
    earlier = time.time() - HOUR_S
    monkeypatch.setattr(time, "time", lambda: earlier)
    assert remaining(tmp_path / "run").clock_s() == pytest.approx(600, abs=5)


def test_positions_that_keep_their_own_time_go_on_each_by_its_own(tmp_path: Path) -> None:
    by_position = SEQUENCE.replace(
        axis_order="ptc", time_plan={"interval": 600, "loops": 3}
    )
    # Slots are (t, p): position 0 is complete, position 1 began at 1300 s.
    broken_off(tmp_path / "run", by_position, {0: 0.0, 2: 600.0, 4: 1200.0, 1: 1300.0})
    left = list(remaining(tmp_path / "run"))
    assert places(left) == [(1, 1), (2, 1)]
    waits_s = [event.min_start_time or 0.0 for event in left]
    assert waits_s == pytest.approx([600, 1200], abs=5)


def test_a_position_that_has_not_begun_starts_its_own_clock(tmp_path: Path) -> None:
    by_position = SEQUENCE.replace(
        axis_order="ptc", time_plan={"interval": 600, "loops": 2}
    )
    broken_off(tmp_path / "run", by_position, {0: 0.0})
    left = list(remaining(tmp_path / "run"))
    assert places(left) == [(1, 0), (0, 1), (1, 1)]
    assert [event.reset_event_timer for event in left] == [False, True, False]
    assert left[2].min_start_time == 600


def test_listeners_are_told_of_the_whole_sequence(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", SEQUENCE, {0: 0.0})
    sequence = remaining(tmp_path / "run")
    assert sequence.sizes == SEQUENCE.sizes
    assert "rest" not in sequence.model_dump()
    assert {event.sequence.uid for event in sequence if event.sequence} == {sequence.uid}


def test_a_replay_cannot_be_acquired_further(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run", plan(source="replay"))
    with pytest.raises(ValueError, match="it is a replay"):
        remaining(tmp_path / "run")


def cut_short(path: Path, sequence: MDASequence) -> RunReader:
    """Run an experiment and cancel it after its first frame."""
    stop = threading.Event()
    for _ in run_experiment(settings(sequence), path, stop):
        if path.exists() and RunReader(path).acquired().any():
            stop.set()
    return RunReader(path)


def test_the_rest_of_an_experiment_goes_into_the_same_store_on_the_same_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = SEQUENCE.replace(time_plan={"interval": 0.5, "loops": 6})
    with monkeypatch.context() as patch:
        analyse_nothing(patch)
        for _ in run_experiment(settings(quick), tmp_path / "whole", threading.Event()):
            pass
    reader = cut_short(tmp_path / "run", quick)
    assert 0 < reader.counts("cells").acquired < 12
    for _ in resume_experiment(tmp_path / "run", threading.Event()):
        pass
    assert reader.counts("cells") == (12, 12, 0, 12, 0, 0)
    whole = RunReader(tmp_path / "whole")
    for key in whole.plan.shape.all_keys():
        assert np.array_equal(reader.pixels(key), whole.pixels(key))
    elapsed_h = reader.series("cells")["elapsed_s"] / 3600
    assert sorted(set(elapsed_h)) == pytest.approx([0, 5, 10, 15, 20, 25])
    process = reader.process(ACQUISITION)
    assert process is not None
    assert process.state == "finished"
    assert check_store(tmp_path / "run") == []
    for _ in resume_experiment(tmp_path / "run", threading.Event()):
        raise AssertionError("nothing is left to do")


def test_a_run_that_is_being_acquired_is_left_alone(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", SEQUENCE, {0: 0.0})
    with (
        ProcessRecord(tmp_path / "run", ACQUISITION),
        pytest.raises(RoleTakenError, match="in the hands of process"),
    ):
        next(resume_experiment(tmp_path / "run", threading.Event()))


def ended(path: Path) -> None:
    """Wait until the acquisition of a run has said that it is over."""
    deadline_s = time.monotonic() + 60
    while (process := RunReader(path).process(ACQUISITION)) and process.state == "running":
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_a_script_goes_on_with_its_run(tmp_path: Path) -> None:
    path = tmp_path / "run"
    core = simulated_core(MICROSCOPE)
    quick = SEQUENCE.replace(time_plan={"interval": 0.3, "loops": 4})

    def cancel(image: object, event: MDAEvent, metadata: object) -> None:
        if event.index["t"] == 1:
            core.mda.cancel()

    core.mda.events.frameReady.connect(cancel)
    with samcell_live.monitor(core, path, wait=False):
        core.run_mda(quick, block=True)
    core.mda.events.frameReady.disconnect(cancel)
    ended(path)
    n_before = int(RunReader(path).acquired().sum())
    assert 0 < n_before < 8
    with pytest.raises(ValueError, match="was recorded beside a program of yours"):
        next(resume_experiment(path, threading.Event()))
    with samcell_live.monitor(core, path, resume=True) as monitor:
        core.run_mda(samcell_live.remaining(path), block=True)
    core.unloadAllDevices()
    assert monitor.errors == []
    reader = RunReader(path)
    assert reader.counts("cells") == (8, 8, 0, 8, 0, 0)
    frames = reader.frames()
    wall_s = frames["time_s"] - frames["elapsed_s"]
    assert wall_s.max() - wall_s.min() < 2  # one clock, on which the pause counts


def test_a_camera_with_other_images_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse_nothing(monkeypatch)
    path = tmp_path / "run"
    cut_short(path, SEQUENCE.replace(time_plan={"interval": 0.5, "loops": 20}))
    core = simulated_core(MICROSCOPE.model_copy(update={"image_width_px": 64}))
    core.mda.events.frameReady.connect(lambda *arguments: core.mda.cancel())
    with samcell_live.monitor(core, path, resume=True) as monitor:
        core.run_mda(samcell_live.remaining(path), block=True)
    core.unloadAllDevices()
    assert "but the run that is to go on has uint16 of shape (96, 128)" in str(
        monitor.refusal
    )


def test_an_event_that_is_overdue_does_not_make_the_runner_wait() -> None:
    runner = MDARunner()
    runner._reset_event_timer()
    assert not runner._wait_until_event(MDAEvent(min_start_time=-5.0))
