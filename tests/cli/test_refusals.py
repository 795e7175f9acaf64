"""Wrong input gets one sentence and exit code 2, and nothing is left behind."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml
from builders import acquired_run
from command_line import command, config
from typer.testing import Result

from samcell_live.store.processes import read_process

CONFIGS = Path(__file__).parents[2] / "acquisition_configs"


def refused(result: Result, *words: str) -> None:
    """The command ended with exit code 2 and a sentence that says these words."""
    text = " ".join(result.stderr.replace("│", " ").split())  # of a box, too
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    for word in words:
        assert word in text


def test_an_unknown_key_is_refused_by_name(tmp_path: Path) -> None:
    path = config(tmp_path, analysis={"chanel": "phase"})
    refused(command("run", path), "analysis.chanel is not a setting here")
    path = config(tmp_path, sequence={"channels": ["phase"], "time_plan": {"loop": 3}})
    refused(command("run", path), "loop")


def test_a_configuration_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: [")
    refused(command("run", tmp_path / "bad.yaml"), "cannot be read as YAML")
    (tmp_path / "list.yaml").write_text("- a\n- b\n")
    refused(command("run", tmp_path / "list.yaml"), "holds list at its top")
    refused(command("run", tmp_path / "none.yaml"), "does not exist")


def test_a_missing_adapter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scope.cfg").write_text("Device,Camera,NoSuchLibrary,NoSuchCamera\n")
    path = config(tmp_path, microscope={"kind": "micromanager", "config": "scope.cfg"})
    store = tmp_path / "run"
    refused(command("run", path, "--store", store), "Micro-Manager")
    assert not store.exists()


def test_an_uncalibrated_microscope_is_refused(tmp_path: Path) -> None:
    text = (CONFIGS / "micromanager_demo.cfg").read_text()
    (tmp_path / "scope.cfg").write_text(
        "\n".join(line for line in text.splitlines() if "PixelSize" not in line)
    )
    sequence = yaml.safe_load((CONFIGS / "micromanager_demo.yaml").read_text())["sequence"]
    microscope = {"kind": "micromanager", "config": "scope.cfg"}
    path = config(tmp_path, microscope=microscope, sequence=sequence)
    refused(command("run", path, "--store", tmp_path / "run"), "it is not calibrated")
    assert not (tmp_path / "run").exists()


def test_a_store_that_exists_is_refused(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    refused(command("run", config(tmp_path), "--store", tmp_path / "run"), "exists already")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    refused(command("analyse", tmp_path), "is not a run store")
    refused(command("check", tmp_path), "is not a run store")


def test_a_folder_without_images_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    store = tmp_path / "run"
    refused(command("replay", tmp_path / "images", "--store", store), "no image")
    assert not store.exists()


def test_images_of_mixed_size_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    tifffile.imwrite(tmp_path / "images" / "a.tif", np.zeros((20, 30), np.uint16))
    tifffile.imwrite(tmp_path / "images" / "b.tif", np.zeros((20, 31), np.uint16))
    store = tmp_path / "run"
    refused(command("replay", tmp_path / "images", "--store", store), "20", "30", "31")
    assert not store.exists()


def test_an_analysis_is_not_continued_with_other_settings(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    command("analyse", tmp_path / "run")
    refused(
        command("analyse", tmp_path / "run", "--diameter-um", "20"),
        "begun with settings",
        "name of its own",
    )


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Folder with one image."""
    (tmp_path / "images").mkdir()
    tifffile.imwrite(tmp_path / "images" / "a.tif", np.zeros((20, 30), np.uint16))
    return tmp_path / "images"


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_unknown_model_is_refused_before_any_store_is_made(
    tmp_path: Path, images: Path
) -> None:
    said = "'startr' is neither a model nor a file"
    store = tmp_path / "runs" / "run"
    refused(command("replay", images, "--model", "startr", "--store", store), said)
    path = config(tmp_path, analysis={"segmentation": {"model": "startr"}})
    refused(command("run", path, "--store", store), said)
    assert left_over(tmp_path) == ["images", "tiny.yaml"]


def test_an_unknown_model_leaves_no_trace_in_a_run(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    refused(
        command("analyse", tmp_path / "run", "--model", "startr"), "'startr' is neither"
    )
    assert read_process(tmp_path / "run", "analysis-cells") is None


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--pixel-size-um", "-1", "pixel size in um is -1.0, but must be above 0"),
        ("--pixel-size-um", "0", "pixel size in um is 0.0, but must be above 0"),
        ("--interval-min", "0", "interval in s is 0.0, but must be above 0"),
        ("--diameter-um", "-5", "cell_diameter_um: Input should be greater than 0"),
    ],
)
def test_a_number_that_cannot_be_is_refused(
    tmp_path: Path, images: Path, option: str, value: str, said: str
) -> None:
    store = tmp_path / "runs" / "run"
    refused(command("replay", images, option, value, "--store", store), said)
    assert left_over(tmp_path) == ["images"]


def test_a_name_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    result = command("analyse", tmp_path / "run", "--name", "Bad Name")
    refused(result, "name: String should match pattern", "'Bad Name'")
    assert "pydantic" not in result.stderr


def test_a_port_that_cannot_be_is_refused() -> None:
    refused(command("demo", "--port", "99999"), "65535")


def test_a_store_too_damaged_to_be_opened_is_refused_and_not_judged(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    (tmp_path / "run" / "samcell" / "zarr.json").write_text("{")
    refused(command("check", tmp_path / "run"), "run")
