"""The doctor looks at the real machine, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import command, config
from pymmcore_plus import find_micromanager

from samcell_live.doctor import examination
from samcell_live.doctor.disk import nearest_folder, seconds_per_frame
from samcell_live.doctor.examination import examine
from samcell_live.doctor.findings import Finding
from samcell_live.settings import RunSettings

CONFIGS = Path(__file__).parents[2] / "acquisition_configs"
HOURLY = {"channels": ["phase"], "time_plan": {"interval": 3600, "loops": 3}}
needs_adapters = pytest.mark.skipif(
    find_micromanager() is None, reason="no Micro-Manager device adapters"
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure a computer without a planned run with small frames."""
    monkeypatch.setattr(examination, "SIDE_PX", 256)


def found(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_a_simulated_run_is_looked_at_from_camera_to_verdict(tmp_path: Path) -> None:
    store = tmp_path / "not" / "there" / "yet"
    path = config(tmp_path, sequence=HOURLY)
    result = command("doctor", path, "--store", store, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    status = {finding["name"]: finding["status"] for finding in told["findings"]}
    assert {status[name] for name in ("camera", "pixel size", "sequence", "disk")} == {"ok"}
    assert status["focus direction"] == "unknown"
    assert told["keeps_up"] is True
    assert told["verdict"].startswith("This run will keep up: 3 frames")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


@needs_adapters
def test_the_demo_camera_tells_of_itself(tmp_path: Path) -> None:
    settings = RunSettings.from_yaml(CONFIGS / "micromanager_demo.yaml")
    result = examine(settings, tmp_path)
    findings = found(result.findings)
    assert findings["adapters"].status == "ok"
    assert "Device API version" in findings["Micro-Manager"].found
    assert findings["camera"].found == "DCam: 512 x 512 px, uint16 with 12 bits"
    assert findings["pixel size"].found == "0.65 um"
    assert "Camera (DemoCamera)" in findings["devices"].found
    assert findings["sequence"].found == "10 frames: 5 timepoints, 2 views, 1 channels"
    assert result.verdict is not None


@needs_adapters
def test_a_run_that_would_be_refused_gets_no_verdict(tmp_path: Path, small: None) -> None:
    text = (CONFIGS / "micromanager_demo.yaml").read_text()
    (tmp_path / "run.yaml").write_text(
        text.replace("config: Brightfield", "config: Phase").replace(
            "config: micromanager_demo.cfg",
            f"config: {CONFIGS / 'micromanager_demo.cfg'}",
        )
    )
    result = command("doctor", tmp_path / "run.yaml", "--store", tmp_path)
    assert result.exit_code == 1
    assert "'Phase'" in result.stdout
    assert "keep up" not in result.stdout


def test_a_microscope_that_is_not_there_is_a_finding(tmp_path: Path, small: None) -> None:
    path = config(tmp_path, microscope={"kind": "micromanager", "config": "no.cfg"})
    result = examine(RunSettings.from_yaml(path), tmp_path)
    findings = found(result.findings)
    assert findings["microscope"].status == "fail"
    assert "256 x 256 px" in findings["model"].found
    assert not result.is_well


def test_weights_that_are_not_here_are_not_fetched_but_named(tmp_path: Path) -> None:
    analysis = {"segmentation": {"model": "nowhere.pt"}}
    result = examine(RunSettings.from_yaml(config(tmp_path, analysis=analysis)), tmp_path)
    model = found(result.findings)["model"]
    assert model.status == "fail"
    assert "nowhere.pt" in model.found
    assert result.verdict is not None
    assert result.verdict.keeps_up is None


def test_a_folder_that_cannot_be_written_to_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert nearest_folder(tmp_path / "file" / "run") == tmp_path
    with pytest.raises(OSError, match="gone"):
        seconds_per_frame(tmp_path / "gone", height_px=8, width_px=8, dtype="uint16")
