"""Settings come back from YAML as they went in, and mistakes are named."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from samcell_live.settings import (
    AnalysisSettings,
    MicroManager,
    RunSettings,
    SegmentationSettings,
    SimulatedMicroscope,
)

SEQUENCE = {"channels": ["phase"], "time_plan": {"interval": 1, "loops": 2}}

thresholds = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


def written(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text)
    return path


@given(thresholds, st.sampled_from(["oldest", "newest"]), st.floats(1, 100))
def test_settings_survive_a_round_trip(
    heights: list[float], order: str, speed: float
) -> None:
    settings = RunSettings.model_validate(
        {
            "microscope": SimulatedMicroscope(speed=speed),
            "sequence": SEQUENCE,
            "analysis": {
                "order": order,
                "segmentation": {
                    "fill_threshold": heights[0],
                    "peak_threshold": heights[1],
                },
            },
        }
    )
    text = yaml.safe_dump(settings.model_dump(mode="json", exclude={"sequence"}))
    again = RunSettings.model_validate(yaml.safe_load(text) | {"sequence": SEQUENCE})
    assert again == settings.model_copy(update={"sequence": again.sequence})


def test_a_plain_useq_file_is_a_configuration(tmp_path: Path) -> None:
    settings = RunSettings.from_yaml(written(tmp_path, yaml.safe_dump(SEQUENCE)))
    assert len(list(settings.sequence)) == 2
    assert settings.microscope == SimulatedMicroscope()


def test_our_settings_may_stand_beside_the_sequences_keys(tmp_path: Path) -> None:
    text = yaml.safe_dump(SEQUENCE | {"name": "HEK", "analysis": {"channel": "phase"}})
    settings = RunSettings.from_yaml(written(tmp_path, text))
    assert (settings.name, settings.analysis.channel) == ("HEK", "phase")


def test_paths_start_at_the_configuration(tmp_path: Path) -> None:
    microscope = {"kind": "micromanager", "config": "scope.cfg"}
    text = yaml.safe_dump({"microscope": microscope, "sequence": SEQUENCE})
    settings = RunSettings.from_yaml(written(tmp_path, text))
    assert settings.microscope == MicroManager(config=tmp_path / "scope.cfg")


@pytest.mark.parametrize(
    ("model", "lies", "found"),
    [
        ("weights/mine.pt", "weights/mine.pt", "weights/mine.pt"),
        ("mine.pt", "weights/mine.pt", None),
        ("starter", "starter", None),
    ],
)
def test_weights_are_found_beside_the_configuration_and_names_stay(
    tmp_path: Path, model: str, lies: str, found: str | None
) -> None:
    (tmp_path / lies).parent.mkdir(exist_ok=True)
    (tmp_path / lies).write_bytes(b"")
    text = yaml.safe_dump(
        {"sequence": SEQUENCE, "analysis": {"segmentation": {"model": model}}}
    )
    settings = RunSettings.from_yaml(written(tmp_path, text))
    expected = model if found is None else str(tmp_path / found)
    assert settings.analysis.segmentation.model == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nmae": "x"}, "nmae is not a setting here"),
        ({"microscope": {"kind": "simulated", "sed": 1}}, "sed is not a setting here"),
        ({"microscope": {"kind": "telescope"}}, "telescope"),
        ({"sequence": {"chanels": ["phase"]}}, "sequence has the unknown key 'chanels'"),
        (
            {"sequence": {"channels": [{"config": "a", "exposre": 1}]}},
            r"channels\[0\] has the",
        ),
        ({"analysis": {"name": "../x"}}, "analysis.name"),
        ({"analysis": {"segmentation": {"peak_threshold": 2}}}, "peak_threshold"),
    ],
)
def test_a_mistake_is_refused_by_name(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    path = written(tmp_path, yaml.safe_dump({"sequence": SEQUENCE} | changes))
    with pytest.raises(ValueError, match=message) as refusal:
        RunSettings.from_yaml(path)
    assert str(path) in str(refusal.value)


def test_fill_lies_below_peak() -> None:
    with pytest.raises(
        ValidationError, match=r"fill_threshold is 0\.5, above peak_threshold"
    ):
        SegmentationSettings(peak_threshold=0.4, fill_threshold=0.5)


@pytest.mark.parametrize(("setting", "value"), [("prominence", 0.2), ("half_turn", True)])
def test_the_reference_knows_no_way_but_its_own(setting: str, value: object) -> None:
    chosen = {"preset": "reference", setting: value}
    with pytest.raises(ValidationError, match=f"{setting} is {value}, but the preset"):
        SegmentationSettings.model_validate(chosen)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        AnalysisSettings().name = "other"  # type: ignore[misc]
