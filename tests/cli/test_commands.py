"""Commands do what they say."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from builders import acquired_run, plan
from command_line import command, config
from PIL import Image

from samcell_live.microscope.demo import demo_settings
from samcell_live.records import RunShape
from samcell_live.settings import RunSettings
from samcell_live.store.reader import RunReader

CONFIGS = Path(__file__).parents[2] / "acquisition_configs"


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


def test_a_replay_goes_past_an_image_that_cannot_be_decoded_and_says_so(
    tmp_path: Path,
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 50), dtype=np.uint8)
    (tmp_path / "images").mkdir()
    for t in range(3):
        Image.fromarray(noise).save(tmp_path / "images" / f"{t}.png")
    bad = tmp_path / "images" / "1.png"
    bad.write_bytes(bad.read_bytes()[:-100])
    result = command("replay", tmp_path / "images", "--store", tmp_path / "run", "--json")
    assert result.exit_code == 1
    assert "1 unreadable frames are missing" in result.stdout
    assert "1.png cannot be read as an image" in result.stdout
    frames = json.loads(result.stdout.splitlines()[-1])["frames"]
    assert (frames["analysed"], frames["missing"]) == (2, 1)


def test_what_has_no_result_is_worked_off(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    result = command("analyse", tmp_path / "run", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["frames"]["analysed"] == 6
    again = command("analyse", tmp_path / "run", "--name", "again", "--diameter-um", "20")
    assert again.exit_code == 0, again.output
    assert RunReader(tmp_path / "run").analyses() == ["again", "cells"]


def test_a_damaged_store_fails_the_check(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    (tmp_path / "run" / "0" / "0" / "c" / "0" / "0" / "0" / "0").write_bytes(b"no")
    result = command("check", tmp_path / "run")
    assert result.exit_code == 1
    assert "the raw frame cannot be read" in result.output


def test_a_column_that_is_gone_fails_the_check(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    command("analyse", tmp_path / "run")
    series = tmp_path / "run" / "samcell" / "analyses" / "cells" / "series"
    shutil.rmtree(series / "cell_count")
    result = command("check", tmp_path / "run")
    assert result.exit_code == 1, result.output
    assert "cell_count" in result.stdout


def test_the_demo_is_the_configuration_that_users_copy() -> None:
    assert RunSettings.from_yaml(CONFIGS / "demo.yaml") == demo_settings()


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_to_copy_is_valid(path: Path) -> None:
    assert len(list(RunSettings.from_yaml(path).sequence)) > 0
