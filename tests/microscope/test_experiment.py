"""A monitored acquisition leaves a whole run behind, frame by frame and cell by cell."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from no_worker import analyse_nothing
from pymmcore_plus import CMMCorePlus, find_micromanager
from useq import MDASequence

import samcell_live
from samcell_live.microscope.beginning import Beginnings, Experiment
from samcell_live.microscope.experiment import run_experiment
from samcell_live.microscope.monitor import Monitor
from samcell_live.microscope.simulated import simulated_core
from samcell_live.records import FrameKey
from samcell_live.settings import RunSettings, SimulatedMicroscope
from samcell_live.store.check import check_store
from samcell_live.store.reader import RunReader

MICROSCOPE = SimulatedMicroscope(image_height_px=96, image_width_px=128, speed=36000.0)
SEQUENCE = MDASequence(
    axis_order="tpc",
    stage_positions=[(0, 0), (40, 0)],
    channels=["phase"],
    time_plan={"interval": 0.1, "loops": 3},
)


@pytest.fixture
def core() -> Iterator[Any]:
    core = simulated_core(MICROSCOPE)
    yield core
    core.unloadAllDevices()


def test_a_script_attaches_with_one_line(core: Any, tmp_path: Path) -> None:
    with samcell_live.monitor(core, tmp_path / "run.ome.zarr") as monitor:
        core.run_mda(SEQUENCE, block=True)
    assert monitor.errors == []
    reader = RunReader(tmp_path / "run.ome.zarr")
    assert reader.counts("cells") == (6, 6, 0, 6, 0, 0)
    assert reader.plan.pixel_size_um == pytest.approx(0.87)
    frame = reader.frame(FrameKey(t=2, p=1))
    assert frame.row.stage_x_um == pytest.approx(40)
    assert frame.row.elapsed_s > 0.1
    assert check_store(tmp_path / "run.ome.zarr") == []


def test_every_sequence_of_a_core_is_a_run_of_its_own(core: Any, tmp_path: Path) -> None:
    short = SEQUENCE.replace(time_plan=None)
    with samcell_live.monitor(core, tmp_path / "day.ome.zarr") as monitor:
        core.run_mda(short, block=True)
        core.run_mda(short, block=True)
    assert [run.path.name for run in monitor.runs] == ["day.ome.zarr", "day-2.ome.zarr"]
    assert all(RunReader(run.path).counts("cells").analysed == 2 for run in monitor.runs)


def test_a_sequence_that_begins_while_another_ends_gets_its_own_run(
    core: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse_nothing(monkeypatch)
    monitor = Monitor(core, tmp_path / "day.ome.zarr", Experiment())
    first, second = SEQUENCE.replace(time_plan=None), SEQUENCE.replace(time_plan=None)
    assert first.uid != second.uid
    summary = {
        "image_infos": ({"plane_shape": (96, 128), "dtype": "uint16", "pixel_size_um": 1},)
    }
    monitor.sequence_started(first, summary)
    monitor.sequence_started(second, summary)
    monitor.sequence_finished(first)
    assert [run.is_acquiring for run in monitor.runs] == [False, True]
    monitor.sequence_finished(second)
    monitor.close(wait=True)
    states = [RunReader(run.path).process("acquisition") for run in monitor.runs]
    assert [state.state for state in states if state] == ["finished", "finished"]


def test_a_channel_that_the_microscope_lacks_is_refused_before_the_run(
    tmp_path: Path,
) -> None:
    wrong = SEQUENCE.replace(channels=["Phasee"])
    with pytest.raises(
        ValueError, match=r"'Phasee' of the group 'Channel', which has: .*nuclei, phase"
    ):
        for _ in run_experiment(settings(wrong), tmp_path / "run", threading.Event()):
            pass
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_model_is_refused_before_the_run(core: Any, tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="no-such-model"),
        samcell_live.monitor(core, tmp_path / "run.ome.zarr", model="no-such-model"),
    ):
        raise AssertionError("the block must not run")


def test_after_the_block_nothing_is_recorded(core: Any, tmp_path: Path) -> None:
    with samcell_live.monitor(core, tmp_path / "run.ome.zarr"):
        pass
    core.run_mda(SEQUENCE, block=True)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_exists_is_refused_before_anything_happens(
    core: Any, tmp_path: Path
) -> None:
    with (
        pytest.raises(FileExistsError, match="Give the run a store of its own"),
        samcell_live.monitor(core, tmp_path),
    ):
        raise AssertionError("the block must not run")


def test_an_acquisition_goes_on_when_recording_cannot(core: Any, tmp_path: Path) -> None:
    store = tmp_path / "run.ome.zarr"
    frames = []
    core.mda.events.frameReady.connect(lambda image, event, meta: frames.append(event))
    with samcell_live.monitor(core, store) as monitor:
        store.mkdir()  # somebody else takes the place meanwhile
        core.run_mda(SEQUENCE, block=True)
    assert len(frames) == 6
    assert monitor.n_unrecorded == 6
    assert "FileExistsError" in monitor.errors[0]


def test_a_microscope_without_a_camera_is_refused_with_the_reason(
    core: Any, tmp_path: Path
) -> None:
    beginnings = Beginnings(core, tmp_path / "run.ome.zarr", Experiment())
    with pytest.raises(ValueError, match="has no camera"):
        beginnings.with_sequence(SEQUENCE, {"image_infos": ()})


def settings(sequence: MDASequence = SEQUENCE) -> RunSettings:
    return RunSettings(name="test", microscope=MICROSCOPE, sequence=sequence)


def test_an_experiment_runs_by_the_cultures_clock(tmp_path: Path) -> None:
    for _ in run_experiment(settings(), tmp_path / "run", threading.Event()):
        pass
    reader = RunReader(tmp_path / "run")
    assert reader.plan.source == "simulated"
    assert reader.plan.interval_s == pytest.approx(3600)
    assert sorted(set(reader.series("cells")["elapsed_s"])) == pytest.approx(
        [0, 3600, 7200]
    )
    acquisition = reader.process("acquisition")
    assert acquisition is not None
    assert acquisition.state == "finished"


def test_an_experiment_that_is_stopped_keeps_and_analyses_what_it_has(
    tmp_path: Path,
) -> None:
    stop = threading.Event()
    long = SEQUENCE.replace(time_plan={"interval": 0.2, "loops": 500})
    for _ in run_experiment(settings(long), tmp_path / "run", stop):
        if (tmp_path / "run").exists() and RunReader(tmp_path / "run").acquired().any():
            stop.set()
    reader = RunReader(tmp_path / "run")
    counts = reader.counts("cells")
    assert 0 < counts.acquired < 1000
    assert counts.analysed == counts.acquired
    acquisition = reader.process("acquisition")
    assert acquisition is not None
    assert acquisition.state == "cancelled"


def test_an_experiment_without_a_place_ends_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(FileExistsError):
        for _ in run_experiment(settings(), tmp_path / "run", threading.Event()):
            pass


@pytest.mark.skipif(find_micromanager() is None, reason="no Micro-Manager device adapters")
def test_the_demo_camera_is_recorded_in_full_and_said_to_be_no_culture(
    tmp_path: Path,
) -> None:
    configs = Path(__file__).parents[2] / "acquisition_configs"
    experiment = RunSettings.from_yaml(configs / "micromanager_demo.yaml")
    for _ in run_experiment(experiment, tmp_path / "run", threading.Event()):
        pass
    reader = RunReader(tmp_path / "run")
    counts = reader.counts("cells")
    assert (counts.acquired, counts.missing, counts.analysed) == (10, 0, 10)
    assert (reader.series("cells")["cell_likeness"] < 0.5).all()
    assert reader.plan.bits == 12


def test_an_uncalibrated_microscope_is_refused_before_the_run(tmp_path: Path) -> None:
    core = CMMCorePlus()
    with (
        pytest.raises(ValueError, match="it is not calibrated"),
        samcell_live.monitor(core, tmp_path / "run", experiment=Experiment()),
    ):
        raise AssertionError("the block must not run")


def test_pixels_reach_the_store_as_the_camera_gave_them(
    core: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse_nothing(monkeypatch)
    taken: list[np.ndarray] = []
    core.mda.events.frameReady.connect(
        lambda image, event, meta: taken.append(image.copy())
    )
    with samcell_live.monitor(core, tmp_path / "run", wait=False) as monitor:
        core.run_mda(SEQUENCE, block=True)
    assert monitor.run is not None
    monitor.run.wait()
    reader = RunReader(tmp_path / "run")
    for key, image in zip(reader.plan.shape.all_keys(), taken, strict=True):
        assert np.array_equal(reader.pixels(key), image)
