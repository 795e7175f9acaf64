"""``samcell-live data check`` and ``data prepare``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from command_line import command
from labelled_folders import livecell_folder, pairs_folder

from samcell_live.training.data.prepared import PreparedData


def test_sound_data_are_checked_with_exit_code_0(tmp_path: Path) -> None:
    result = command("data", "check", livecell_folder(tmp_path), "--json")

    assert result.exit_code == 0, result.output
    assert "3 images, 6 cells. Nothing is wrong." in result.output
    report = json.loads(result.stdout.splitlines()[-1])
    assert (report["n_images"], report["n_problems"], report["summary"]) == (3, 0, {})
    assert report["images"][0]["split"] == "train"


def test_faults_are_printed_by_image_and_in_sum_with_exit_code_1(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path)
    (folder / "01_mask.png").write_bytes(b"damaged")

    result = command("data", "check", folder, "--json")

    assert result.exit_code == 1
    assert "Problem: unreadable, 1 image" in result.output
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["n_problems"] == 1
    assert [len(image["findings"]) for image in report["images"]] == [0, 1]
    assert report["images"][1]["n_cells"] is None
    assert "01_mask.png" in report["images"][1]["findings"][0]["detail"]


def test_the_size_of_the_smallest_cell_can_be_set(tmp_path: Path) -> None:
    result = command("data", "check", pairs_folder(tmp_path), "--smallest-px", 65)

    assert result.exit_code == 1
    assert "Problem: tiny, 2 images" in result.output


def test_a_folder_of_no_format_is_wrong_usage(tmp_path: Path) -> None:
    result = command("data", "check", tmp_path)

    assert result.exit_code == 2
    assert "has no NAME_mask.png" in result.stderr


def test_data_are_prepared_once(tmp_path: Path) -> None:
    arguments = ("data", "prepare", pairs_folder(tmp_path), "--out", tmp_path / "cache")

    first = command(*arguments, "--fit-px", 64, "--json")
    again = command(*arguments, "--fit-px", 64, "--json")

    assert first.exit_code == again.exit_code == 0, first.output
    report = json.loads(first.stdout.splitlines()[-1])
    assert json.loads(again.stdout.splitlines()[-1]) == report
    assert (report["images"], report["cells"]) == (2, 4)
    data = PreparedData(Path(report["folder"]))
    assert data.read(data.images[0]).distance.shape == (64, 64)
    assert np.isclose(data.read(data.images[0]).distance.max(), 1)
