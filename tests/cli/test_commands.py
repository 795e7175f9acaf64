"""Commands do what they say, and wrong input gets one sentence and exit code 2."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
from builders import acquired_run, plan
from typer.testing import CliRunner, Result

from samcell_live.cli import app
from samcell_live.microscope.demo import demo_settings
from samcell_live.records import RunShape
from samcell_live.settings import RunSettings
from samcell_live.store.reader import RunReader

CONFIGS = Path(__file__).parents[2] / "acquisition_configs"


def command(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def config(folder: Path, **changes: Any) -> Path:
    """Configuration of a tiny simulated run."""
    settings = {
        "name": "tiny",
        "microscope": {
            "kind": "simulated",
            "image_height_px": 96,
            "image_width_px": 128,
            "speed": 36000,
        },
        "sequence": {"channels": ["phase"], "time_plan": {"interval": 0.1, "loops": 3}},
    } | changes
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def refused(result: Result, *words: str) -> None:
    """The command ended with exit code 2 and a sentence that says these words."""
    text = " ".join(result.stderr.split())
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    for word in words:
        assert word in text


def test_a_run_is_acquired_analysed_and_accounted_for(tmp_path: Path) -> None:
    store = tmp_path / "run.ome.zarr"
    result = command("run", config(tmp_path), "--store", store, "--json")
    assert result.exit_code == 0, result.output
    last = json.loads(result.stdout.splitlines()[-1])
    assert last["frames"] == {
        "expected": 3, "acquired": 3, "missing": 0, "analysed": 3, "failed": 0, "waiting": 0
    }  # fmt: skip
    assert last["store"] == str(store)
    assert last["seconds_to_first_result"] > 0
    assert command("check", store).exit_code == 0


def test_one_of_our_stores_is_replayed_into_a_new_one(tmp_path: Path) -> None:
    acquired_run(tmp_path / "old", plan(RunShape(t=2, p=2)))
    result = command("replay", tmp_path / "old", "--store", tmp_path / "new", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["frames"]["analysed"] == 4
    old, new = RunReader(tmp_path / "old"), RunReader(tmp_path / "new")
    assert new.plan.source == "replay"
    for key in old.plan.shape.all_keys():
        assert np.array_equal(old.pixels(key), new.pixels(key))


def test_what_has_no_result_is_worked_off(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    result = command("analyse", tmp_path / "run", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["frames"]["analysed"] == 6
    again = command("analyse", tmp_path / "run", "--name", "again", "--diameter-um", "20")
    assert again.exit_code == 0, again.output
    assert RunReader(tmp_path / "run").analyses() == ["again", "cells"]


def test_an_analysis_is_not_continued_with_other_settings(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    command("analyse", tmp_path / "run")
    refused(
        command("analyse", tmp_path / "run", "--diameter-um", "20"),
        "begun with settings",
        "name of its own",
    )


def test_single_images_are_segmented(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 4000, (70, 90), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "dish.tif", image)
    result = command("segment", tmp_path / "dish.tif", "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    labels = tifffile.imread(tmp_path / "out" / "dish_labels.tif")
    assert labels.shape == (70, 90)
    assert json.loads(result.stdout)["cells"] == {
        str(tmp_path / "dish.tif"): int(labels.max())
    }


def test_a_damaged_store_fails_the_check(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    (tmp_path / "run" / "0" / "0" / "c" / "0" / "0" / "0" / "0").write_bytes(b"no")
    result = command("check", tmp_path / "run")
    assert result.exit_code == 1
    assert "the raw frame cannot be read" in result.output


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


def test_a_file_that_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dish.tif").write_text("not an image")
    refused(
        command("segment", tmp_path / "dish.tif", "--out", tmp_path / "out"), "dish.tif"
    )
    assert not (tmp_path / "out").exists()


def test_the_demo_is_the_configuration_that_users_copy() -> None:
    assert RunSettings.from_yaml(CONFIGS / "demo.yaml") == demo_settings()


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_to_copy_is_valid(path: Path) -> None:
    assert len(list(RunSettings.from_yaml(path).sequence)) > 0


LONG = {"channels": ["phase"], "time_plan": {"interval": 0.2, "loops": 1000}}


def started_run(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A run of its own process that has acquired a few of its thousand frames."""
    store = folder / "run"
    arguments = ["run", config(folder, sequence=LONG), "--store", store, "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "samcell_live", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: store.exists() and RunReader(store).acquired().sum() > 2)
    return process, store


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
def test_ctrl_c_once_ends_cleanly(tmp_path: Path) -> None:
    process, _ = started_run(tmp_path)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output + errors
    frames = json.loads(output.splitlines()[-1])["frames"]
    assert 0 < frames["acquired"] < 1000
    assert frames["analysed"] == frames["acquired"]


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
def test_ctrl_c_twice_ends_at_once_and_leaves_no_worker(tmp_path: Path) -> None:
    process, store = started_run(tmp_path)
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)  # two signals at the same moment are one
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Stopped at once" in errors
    worker = RunReader(store).process("analysis-cells")
    assert worker is None or not worker.is_alive(time.time())
    assert RunReader(store).counts("cells").acquired > 2


def wait_for(condition: Any, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "this never came true"
        time.sleep(0.05)
