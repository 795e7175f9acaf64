"""A plan holds what the sequence will bring, and refuses what cannot be measured."""

from typing import Any

import pytest
import useq
from useq import MDASequence, WellPlatePlan

from samcell_live.microscope.focus import without_plate_z
from samcell_live.microscope.planning import plan_run
from samcell_live.records import FrameKey, RunShape
from samcell_live.settings import AnalysisSettings, Plane
from samcell_live.store.plan import GROWTH_T, RunPlan

CAMERA = {
    "plane_shape": (24, 32),
    "dtype": "uint16",
    "pixel_size_um": 0.65,
    "num_camera_adapter_channels": 1,
}
TWICE = {"interval": 60, "loops": 2}


def planned(
    sequence: MDASequence | None,
    *,
    channel: str | None = None,
    camera: int = 0,
    plane: Plane = "middle",
    **changes: Any,
) -> tuple[RunPlan, list[FrameKey]]:
    found = CAMERA | {name: changes.pop(name) for name in set(changes) & set(CAMERA)}
    return plan_run(
        sequence,
        found,
        name="run",
        source="microscope",
        analysis=AnalysisSettings(channel=channel, camera=camera, plane=plane),
        **changes,
    )


def test_every_axis_of_the_sequence_is_in_the_plan() -> None:
    sequence = MDASequence(
        stage_positions=[(0, 0), (10, 20)],
        channels=["phase", "GFP"],
        time_plan=TWICE,
        z_plan={"range": 2, "step": 1},
    )
    plan, expected = planned(sequence, channel="GFP")
    assert plan.shape == RunShape(t=2, p=2, c=2, z=3)
    assert len(expected) == plan.shape.n_slots
    assert [channel.name for channel in plan.channels] == ["phase", "GFP"]
    assert (plan.segment_c, plan.segment_z) == (1, 1)
    assert (plan.interval_s, plan.duration_s) == (60, 60)
    assert (plan.views[1].x_um, plan.views[1].y_um) == (10, 20)


def test_a_simulated_culture_runs_ahead_of_the_clock() -> None:
    plan, _ = planned(MDASequence(time_plan=TWICE, channels=["phase"]), time_scale=100)
    assert (plan.interval_s, plan.duration_s) == (6000, 6000)


def test_wells_have_their_place_on_the_plate_and_the_focus_is_left_alone() -> None:
    wells = WellPlatePlan(
        plate="96-well", a1_center_xy=(0, 0), selected_wells=([1, 1], [3, 4])
    )
    sequence, plate = without_plate_z(
        MDASequence(stage_positions=wells, channels=["phase"])
    )
    assert plate == (8, 12)
    assert {event.z_pos for event in sequence} == {None}
    plan, _ = planned(sequence, plate=plate)
    assert [(view.path, view.well) for view in plan.views] == [
        ("B/4/0", "B4"),
        ("B/5/0", "B5"),
    ]
    assert (plan.plate_rows, plan.plate_columns) == (8, 12)


def test_several_fields_of_a_well_are_images_of_that_well() -> None:
    wells = WellPlatePlan(
        plate="6-well",
        a1_center_xy=(0, 0),
        selected_wells=([0], [1]),
        well_points_plan=useq.GridRowsColumns(
            rows=1, columns=2, fov_width=10, fov_height=10
        ),
    )
    plan, _ = planned(MDASequence(stage_positions=wells, channels=["phase"]))
    assert [view.path for view in plan.views] == ["A/2/0", "A/2/1"]


def test_a_grid_at_one_position_only_leaves_no_false_expectations() -> None:
    grid = MDASequence(grid_plan={"rows": 1, "columns": 2})
    positions = [useq.Position(x=0, y=0, name="mosaic", sequence=grid), (5, 5)]
    plan, expected = planned(MDASequence(stage_positions=positions, channels=["phase"]))
    assert plan.shape == RunShape(p=2, g=2)
    assert [view.name for view in plan.views] == [
        "mosaic, tile 1",
        "mosaic, tile 2",
        "Position 2",
    ]
    assert len(expected) == 3


def test_an_uncalibrated_microscope_is_refused() -> None:
    with pytest.raises(ValueError, match=r"pixel size is 0\.0 um, so it is not calibrated"):
        planned(MDASequence(channels=["phase"]), pixel_size_um=0.0)


def test_a_colour_camera_is_refused() -> None:
    with pytest.raises(ValueError, match="gives uint32 pixels in planes"):
        planned(MDASequence(channels=["phase"]), dtype="uint32")


def test_a_camera_with_samples_of_several_colours_is_refused() -> None:
    with pytest.raises(ValueError, match=r"planes of shape \(24, 32, 3\)"):
        planned(MDASequence(channels=["phase"]), plane_shape=(24, 32, 3))


def test_a_sequence_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="acquires no frames"):
        planned(MDASequence())


def test_a_channel_that_is_not_acquired_cannot_be_analysed() -> None:
    with pytest.raises(
        ValueError, match=r"analysis\.channel is 'GFP', but the sequence has ph"
    ):
        planned(MDASequence(channels=["phase"]), channel="GFP")


STACKS = MDASequence(channels=["phase"], z_plan={"range": 4, "step": 1})


@pytest.mark.parametrize(
    ("plane", "segment_z", "stack"),
    [
        ("middle", 2, "plane"),
        (4, 4, "plane"),
        ("sharpest", 4, "sharpest"),
        ("max", 4, "max"),
    ],
)
def test_the_plane_with_the_cells_is_planned(
    plane: Plane, segment_z: int, stack: str
) -> None:
    plan, _ = planned(STACKS, plane=plane)
    assert (plan.segment_z, plan.stack) == (segment_z, stack)


def test_a_plane_that_is_not_acquired_cannot_be_analysed() -> None:
    with pytest.raises(ValueError, match=r"analysis\.plane is 5, but the stacks of the se"):
        planned(STACKS, plane=5)


def test_without_a_stack_the_one_plane_is_segmented_whatever_is_asked_for() -> None:
    plan, _ = planned(MDASequence(channels=["phase"]), plane="sharpest")
    assert (plan.segment_z, plan.stack) == (0, "plane")


def test_every_camera_of_an_adapter_is_expected() -> None:
    plan, expected = planned(
        MDASequence(time_plan=TWICE), num_camera_adapter_channels=2, camera=1
    )
    assert plan.shape == RunShape(t=2, cam=2)
    assert expected == [FrameKey(t=t, cam=cam) for t in (0, 1) for cam in (0, 1)]
    assert plan.segment_cam == 1


def test_a_camera_that_is_not_there_cannot_be_analysed() -> None:
    with pytest.raises(ValueError, match="camera 1 is to be segmented, but the run has"):
        planned(MDASequence(time_plan=TWICE), camera=1)


def test_events_that_were_seen_give_the_axes_of_a_run_of_unknown_length() -> None:
    seen = [
        useq.MDAEvent(index={"t": 7, "p": p, "c": c}, channel=name, x_pos=p, y_pos=0)
        for p in range(2)
        for c, name in enumerate(("phase", "GFP"))
    ]
    plan, expected = planned(None, seen=seen, channel="GFP")
    assert plan.is_open
    assert plan.shape == RunShape(t=GROWTH_T, p=2, c=2)
    assert expected == []
    assert [view.x_um for view in plan.views] == [0, 1]
    assert (plan.segment_c, plan.interval_s, plan.duration_s) == (1, None, None)
