"""A bad value in a configuration is refused by its name, before the first frame."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from command_line import command, config
from pydantic import ValidationError

from samcell_live.settings import RunSettings, describe

SEQUENCE: dict[str, Any] = {
    "channels": ["phase"],
    "time_plan": {"interval": 1, "loops": 2},
}


def microscope(**changes: object) -> dict[str, object]:
    return {"microscope": {"kind": "simulated", **changes}}


def sequence(**changes: object) -> dict[str, object]:
    return {"sequence": SEQUENCE | changes}


def segmentation(**changes: object) -> dict[str, object]:
    return {"analysis": {"segmentation": changes}}


def rule(**when: object) -> dict[str, object]:
    return {"rules": [{"when": when, "then": "stop"}]}


BAD_VALUES: list[tuple[str, dict[str, object]]] = [
    ("sequence", {"sequence": None}),
    ("sequence", {"sequence": [1, 2]}),
    ("loops", sequence(time_plan={"interval": 1, "loops": 0})),
    ("interval", sequence(time_plan={"interval": "soon", "loops": 2})),
    ("interval is -1 s", sequence(time_plan={"interval": -1, "loops": 2})),
    ("duration is -9 s", sequence(time_plan={"interval": 1, "duration": -9})),
    ("interval", sequence(time_plan={"interval": math.nan, "loops": 2})),
    ("exposure", sequence(channels=[{"config": "phase", "exposure": 0}])),
    ("acquire_every", sequence(channels=[{"config": "phase", "acquire_every": 0}])),
    ("axis_order", sequence(axis_order="ttc")),
    ("stage_positions", sequence(stage_positions=[["left", 0]])),
    ("stage_positions", sequence(stage_positions=[[math.inf, 0]])),
    ("z_plan.step is 0 um", sequence(z_plan={"range": 10, "step": 0})),
    ("z_plan.step is -1 um", sequence(z_plan={"range": 10, "step": -1})),
    ("chanels", sequence(chanels=["phase"])),
    ("name", {"name": ""}),
    ("memory_budget_mb", {"memory_budget_mb": 0}),
    ("keep_free_mb", {"keep_free_mb": -1}),
    ("kind", {"microscope": {"kind": "telescope"}}),
    ("config", {"microscope": {"kind": "micromanager"}}),
    ("seed", microscope(seed=1.5)),
    ("image_height_px", microscope(image_height_px=0)),
    ("image_width_px", microscope(image_width_px=-1)),
    ("pixel_size_um", microscope(pixel_size_um=0)),
    ("pixel_size_um", microscope(pixel_size_um=math.inf)),
    ("bits", microscope(bits=13)),
    ("doubling_time_h", microscope(doubling_time_h=0)),
    ("seeding_density_per_mm2", microscope(seeding_density_per_mm2=-5)),
    ("well_pitch_um", microscope(well_pitch_um=math.nan)),
    ("speed", microscope(speed=0)),
    ("analysis", {"analysis": None}),
    ("analysis.name", {"analysis": {"name": "../up"}}),
    ("order", {"analysis": {"order": "random"}}),
    ("peak_threshold", segmentation(peak_threshold=1.1)),
    ("fill_threshold", segmentation(fill_threshold=-0.1)),
    ("prominence", segmentation(prominence=1.5)),
    ("fill_threshold", segmentation(peak_threshold=0.2, fill_threshold=0.3)),
    ("cell_diameter_um", segmentation(cell_diameter_um=0)),
    ("min_area_um2", segmentation(min_area_um2=math.inf)),
    ("preset", segmentation(preset="fastest")),
    ("device", segmentation(device="gpu")),
    ("precision", segmentation(precision="int8")),
    ("batch_tiles", segmentation(batch_tiles=0)),
    ("above", rule(above=math.nan)),
    ("column", rule(column="confluense", above=0.5)),
    ("nmae", {"nmae": "x"}),
]


@pytest.mark.parametrize(("name", "changes"), BAD_VALUES)
def test_a_bad_value_is_refused_by_its_name(name: str, changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refusal:
        RunSettings.model_validate({"sequence": SEQUENCE} | changes)
    assert name in describe(refusal.value)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("speed", {"microscope": {"kind": "simulated", "speed": 0}}),
        ("'Phasee'", {"sequence": {"channels": ["Phasee"]}}),
        ("no-such-model", segmentation(model="no-such-model")),
        ("analysis.channel is 'gfp'", {"analysis": {"channel": "gfp"}}),
        ("acquires no frames", {"sequence": {"metadata": {"note": "nothing"}}}),
        ("nowhere.cfg", {"microscope": {"kind": "micromanager", "config": "nowhere.cfg"}}),
    ],
)
def test_what_only_the_microscope_knows_is_refused_before_the_first_frame(
    tmp_path: Path, name: str, changes: dict[str, Any]
) -> None:
    store = tmp_path / "run"
    refused = command("run", config(tmp_path, **changes), "--store", store)
    assert refused.exit_code == 2, refused.output
    assert name in refused.output
    assert not store.exists()
