"""Frames are recorded of any acquisition: begun before us, of unknown length, in bursts."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import useq
from no_worker import analyse_nothing
from pymmcore_plus import CMMCorePlus, find_micromanager
from useq import MDAEvent, MDASequence, WellPlatePlan

from samcell_live.microscope import reception
from samcell_live.microscope.beginning import Experiment
from samcell_live.microscope.monitor import Monitor
from samcell_live.microscope.simulated import simulated_core
from samcell_live.records import Frame, FrameKey, RunShape
from samcell_live.settings import SimulatedMicroscope
from samcell_live.store.reader import RunReader

MICROSCOPE = SimulatedMicroscope(image_height_px=32, image_width_px=48)
SEQUENCE = MDASequence(
    axis_order="tpc",
    stage_positions=[(0, 0), (40, 0)],
    channels=["phase"],
    time_plan={"interval": 0.1, "loops": 6},
)


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    analyse_nothing(monkeypatch)


@pytest.fixture
def core() -> Iterator[Any]:
    core = simulated_core(MICROSCOPE)
    yield core
    core.unloadAllDevices()


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., list[RunReader]]:
    """Records what happens on a core; the analysis is not waited for."""
    monitors: list[Monitor] = []

    def record(core: Any, *acts: Callable[[], Any], **changes: Any) -> list[RunReader]:
        listening = Monitor(core, tmp_path / "run.ome.zarr", Experiment(**changes))
        monitors.append(listening)
        for act in acts:
            act()
        listening.close(wait=True)
        return [RunReader(run.path) for run in listening.runs]

    record.monitors = monitors  # type: ignore[attr-defined]
    return record


def acquire(core: Any, events: Any) -> Callable[[], Any]:
    return lambda: core.run_mda(events, block=True)


def taken(reader: RunReader) -> list[FrameKey]:
    """Keys of the frames on disk in the order in which they came."""
    slots = np.flatnonzero(reader.acquired())
    in_order = slots[np.argsort(reader.rank()[slots])]
    return [reader.plan.shape.key(int(slot)) for slot in in_order]


def acquisition_state(reader: RunReader) -> str:
    state = reader.process("acquisition")
    assert state is not None
    return state.state


class Gate:
    """A script's queue of events, of which nobody knows how many there will be."""

    def __init__(self) -> None:
        self._events: queue.Queue[MDAEvent | None] = queue.Queue()

    def put(self, *events: MDAEvent | None) -> None:
        for event in events:
            self._events.put(event)

    def __iter__(self) -> Iterator[MDAEvent]:
        return iter(self._events.get, None)


def test_a_run_that_we_attach_to_in_the_middle_is_recorded_from_there(
    core: Any, recorded: Any
) -> None:
    gone_by: queue.Queue[Any] = queue.Queue()
    core.mda.events.frameReady.connect(lambda image, event, meta: gone_by.put(event))
    threads = [core.run_mda(SEQUENCE)]
    first = [FrameKey.from_index(gone_by.get(timeout=60).index) for _ in range(3)]
    (reader,) = recorded(core, threads[0].join)
    assert reader.plan.shape == RunShape(t=6, p=2)
    keys = taken(reader)
    counts = reader.counts("cells")
    assert keys
    assert keys[-1] == FrameKey(t=5, p=1)
    assert not set(keys) & set(first)
    assert counts.expected == 12
    assert counts.missing == 12 - len(keys) >= 3
    assert keys == list(reader.plan.shape.all_keys())[-len(keys) :]
    assert acquisition_state(reader) == "finished"


def test_the_camera_does_not_wait_while_a_store_is_made_in_the_middle(core: Any) -> None:
    may_begin = threading.Event()

    def begin(first: Any, event: Any, seen: Any) -> Any:
        assert may_begin.wait(180)
        raise OSError("no space")

    desk = reception.Reception(begin, budget_bytes=2**20, is_open=False)
    image = np.zeros((4, 4), np.uint16)
    event = MDAEvent()
    for t in range(5):
        desk.take(Frame(FrameKey(t=t), image, 1.0), event)
    may_begin.set()
    desk.finish("finished")
    desk.settle()
    assert str(desk.refusal) == "no space"
    assert desk.n_refused == 5


def test_events_that_are_made_up_on_the_way_grow_a_run(core: Any, recorded: Any) -> None:
    events = [MDAEvent(index={"t": t, "p": p}) for t in range(70) for p in range(2)]
    (reader,) = recorded(core, acquire(core, iter(events)))
    assert reader.plan.is_open
    assert reader.plan.shape == RunShape(t=70, p=2)
    assert len(taken(reader)) == 140
    assert reader.counts("cells").missing == 0


def test_events_without_an_index_are_one_timepoint_each(core: Any, recorded: Any) -> None:
    (reader,) = recorded(core, acquire(core, [MDAEvent() for _ in range(3)]))
    assert [key.t for key in taken(reader)] == [0, 1, 2]


def test_events_of_a_sequence_that_somebody_filtered_have_its_axes(
    core: Any, recorded: Any
) -> None:
    some = (event for event in SEQUENCE if event.index["t"] != 1)
    (reader,) = recorded(core, acquire(core, some))
    assert [view.x_um for view in reader.plan.views] == [0, 40]
    assert {key.t for key in taken(reader)} == {0, 2, 3, 4, 5}
    assert reader.plan.channels[0].name == "phase"


def test_a_place_that_nobody_knew_of_begins_a_run_with_all_places(
    core: Any, recorded: Any
) -> None:
    places = [(0, 0), (1, 0), (2, 0), (2, 1), (3, 0), (3, 1)]
    events = [MDAEvent(index={"t": t, "p": p}) for t, p in places]
    first, second = recorded(core, acquire(core, iter(events)))
    assert taken(first) == [FrameKey(t=t) for t in (0, 1, 2)]
    assert second.plan.shape.p == 2
    assert taken(second) == [FrameKey(t=t, p=p) for t, p in places[3:]]
    assert "lay outside its axes" in first.process("acquisition").message


def test_events_that_stay_away_do_not_keep_frames_from_the_disk(
    core: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "QUIET_S", 3.0)
    gate = Gate()

    def wait_for_a_frame_on_disk() -> None:
        (listening,) = recorded.monitors
        gate.put(MDAEvent(index={"p": 0}), MDAEvent(index={"p": 1}))
        deadline_s = time.monotonic() + 60
        while not (listening.run and RunReader(listening.run.path).acquired().sum() == 2):
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        gate.put(None)

    threads = [core.run_mda(iter(gate))]
    (reader,) = recorded(core, wait_for_a_frame_on_disk, threads[0].join)
    assert taken(reader) == [FrameKey(p=0), FrameKey(p=1)]


def test_a_burst_of_the_hardware_has_no_stage_positions_and_all_frames(
    core: Any, recorded: Any
) -> None:
    core.mda.engine.include_frame_position_metadata = False
    burst = SEQUENCE.replace(stage_positions=[], time_plan={"interval": 0, "loops": 12})
    triggered: list[Any] = []
    core.mda.events.frameReady.connect(
        lambda image, event, meta: triggered.append(meta.get("hardware_triggered"))
    )
    (reader,) = recorded(core, acquire(core, burst))
    assert triggered == [True] * 12
    assert [key.t for key in taken(reader)] == list(range(12))
    assert reader.frames()["stage_x_um"].isna().all()
    assert recorded.monitors[0].errors == []


@pytest.mark.parametrize(
    ("plate", "last_row", "rows", "columns"),
    [("96-well", "H", 8, 12), ("384-well", "P", 16, 24)],
)
def test_a_plate_is_recorded_well_by_well(
    core: Any, recorded: Any, plate: str, last_row: str, rows: int, columns: int
) -> None:
    corners = ([0, 0, rows - 1, rows - 1], [0, columns - 1, 0, columns - 1])
    wells = WellPlatePlan(plate=plate, a1_center_xy=(0, 0), selected_wells=corners)
    sequence = MDASequence(stage_positions=wells, channels=["phase"])
    (reader,) = recorded(core, acquire(core, sequence))
    names = [f"{row}{column}" for row in ("A", last_row) for column in (1, columns)]
    assert [view.well for view in reader.plan.views] == names
    assert (reader.plan.plate_rows, reader.plan.plate_columns) == (rows, columns)
    assert reader.counts("cells").acquired == 4
    corner = reader.frame(FrameKey(p=3))
    assert corner.row.stage_x_um == pytest.approx(reader.plan.views[3].x_um)


def test_a_plate_that_drives_the_focus_to_0_is_said_so_at_its_start(
    core: Any, recorded: Any
) -> None:
    wells = WellPlatePlan(plate="96-well", a1_center_xy=(0, 0), selected_wells=([0], [1]))
    core.setZPosition(1500.0)
    heard: list[list[str]] = []
    core.mda.events.frameReady.connect(
        lambda image, event, meta: heard.append(list(recorded.monitors[0].errors))
    )
    recorded(core, acquire(core, MDASequence(stage_positions=wells, channels=["phase"])))
    assert len(heard) == 1
    assert "All 1 wells of this sequence have z = 0" in heard[0][0]


def test_autofocus_events_bring_no_frames_and_none_are_missed(
    core: Any, recorded: Any
) -> None:
    focusing = SEQUENCE.replace(
        stage_positions=[(0, 0, 1), (40, 0, 1)],
        time_plan={"interval": 0, "loops": 2},
        autofocus_plan={"autofocus_motor_offset": 1.0, "axes": ("t", "p")},
    )
    assert any(event.action.type == "hardware_autofocus" for event in focusing)
    (reader,) = recorded(core, acquire(core, focusing))
    assert reader.counts("cells")[:3] == (4, 4, 0)


def test_a_grid_is_a_view_per_tile(core: Any, recorded: Any) -> None:
    mosaic = useq.Position(
        x=0, y=0, name="mosaic", sequence=MDASequence(grid_plan={"rows": 2, "columns": 2})
    )
    (reader,) = recorded(
        core,
        acquire(core, MDASequence(stage_positions=[mosaic, (5, 5)], channels=["phase"])),
    )
    assert [view.name for view in reader.plan.views] == [
        *(f"mosaic, tile {g}" for g in (1, 2, 3, 4)),
        "Position 2",
    ]
    assert reader.counts("cells")[:3] == (5, 5, 0)


def test_two_cores_are_recorded_at_once(core: Any, tmp_path: Path) -> None:
    other = simulated_core(MICROSCOPE)
    runs = [tmp_path / "left.ome.zarr", tmp_path / "right.ome.zarr"]
    listening = [
        Monitor(one, path, Experiment())
        for one, path in zip((core, other), runs, strict=True)
    ]
    threads = [one.run_mda(SEQUENCE) for one in (core, other)]
    for thread in threads:
        thread.join()
    for one in listening:
        one.close(wait=True)
    assert [RunReader(path).counts("cells")[:3] for path in runs] == [(12, 12, 0)] * 2
    assert len({RunReader(path).plan.uid for path in runs}) == 2
    other.unloadAllDevices()


@pytest.mark.skipif(find_micromanager() is None, reason="no Micro-Manager device adapters")
@pytest.mark.parametrize("interval_s", [0.1, 0.0], ids=["snapped", "burst"])
def test_both_cameras_of_one_adapter_are_recorded(recorded: Any, interval_s: float) -> None:
    core = CMMCorePlus()
    for name, library, device in (
        ("Left", "DemoCamera", "DCam"),
        ("Right", "DemoCamera", "DCam"),
        ("Both", "Utilities", "Multi Camera"),
    ):
        core.loadDevice(name, library, device)
    core.initializeAllDevices()
    for number, name in enumerate(("Left", "Right"), 1):
        core.setProperty(name, "PixelType", "16bit")
        core.setProperty("Both", f"Physical Camera {number}", name)
    core.setCameraDevice("Both")
    core.setAutoShutter(False)
    sequence = MDASequence(time_plan={"interval": interval_s, "loops": 2})
    (reader,) = recorded(core, acquire(core, sequence), pixel_size_um=0.5)
    core.unloadAllDevices()
    assert taken(reader) == [FrameKey(t=t, cam=cam) for t in (0, 1) for cam in (0, 1)]
    assert reader.counts("cells").missing == 0
