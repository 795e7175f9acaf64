"""The command ``segment`` as a user meets it, with the starter on small images."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from command_line import command
from PIL import Image
from typer.testing import Result

from samcell_live.recordings.image_file import StillImage, read_still

NOISE = np.random.default_rng(0).integers(0, 4000, (40, 56), dtype=np.uint16)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Folder with a TIFF, an RGBA PNG, and a file that is no image."""
    folder = tmp_path / "images"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", NOISE)
    colours = np.random.default_rng(1).integers(0, 256, (40, 56, 4), dtype=np.uint8)
    Image.fromarray(colours).save(folder / "c.png")
    (folder / "b.tif").write_text("not an image")
    return folder


def told(result: Result) -> dict[str, Any]:
    """The one object on standard output."""
    (line,) = result.stdout.splitlines()
    answer: dict[str, Any] = json.loads(line)
    return answer


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_bad_file_does_not_stop_the_batch_and_is_told_at_the_end(
    tmp_path: Path, images: Path
) -> None:
    result = command("segment", images, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 1
    answer = told(result)
    assert [Path(one["image"]).name for one in answer["images"]] == ["a.tif", "c.png"]
    (failure,) = answer["failures"]
    assert failure["image"] == str(images / "b.tif")
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith(f"Failed: {images / 'b.tif'} cannot be read as an image")
    assert names(tmp_path / "out") == [
        "a_cells.csv", "a_labels.tif", "a_overlay.png",
        "c_cells.csv", "c_labels.tif", "c_overlay.png",
        "summary.csv", "summary.json",
    ]  # fmt: skip


def test_the_counts_told_are_those_of_the_label_images(
    tmp_path: Path, images: Path
) -> None:
    result = command("segment", f"{images}/[ac].*", "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    for one in told(result)["images"]:
        labels = tifffile.imread(one["files"][0])
        assert labels.shape == (40, 56)
        assert labels.dtype == np.uint16
        assert one["cell_count"] == labels.max()
        assert one["confluence"] == pytest.approx(np.count_nonzero(labels) / labels.size)


def test_extras_are_written_when_asked_for(tmp_path: Path, images: Path) -> None:
    result = command(
        "segment", images / "a.tif", "--out", tmp_path / "out",
        "--xlsx", "--distance", "--no-overlay",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert names(tmp_path / "out") == [
        "a_cells.csv", "a_distance.tif", "a_labels.tif",
        "cells.xlsx", "summary.csv", "summary.json",
    ]  # fmt: skip


def test_options_reach_the_segmenter(tmp_path: Path, images: Path) -> None:
    result = command(
        "segment", images / "a.tif", "--out", tmp_path / "out", "--json",
        "--peak", "0.7", "--fill", "0.3", "--prominence", "0.2", "--diameter-um", "20",
        "--pixel-size-um", "0.5", "--min-area-um2", "15", "--device", "cpu",
        "--precision", "float32", "--no-half-turn",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    answer = told(result)
    settings = answer["making"]["settings"]
    assert (settings["peak_threshold"], settings["fill_threshold"]) == (0.7, 0.3)
    assert settings["prominence"] == 0.2
    assert (settings["cell_diameter_um"], settings["min_area_um2"]) == (20, 15)
    assert settings["device"] == "cpu"
    assert (settings["precision"], settings["half_turn"]) == ("float32", False)
    assert answer["images"][0]["pixel_size_um"] == 0.5


def test_a_second_call_leaves_its_own_results_out_and_says_what_it_replaces(
    tmp_path: Path, images: Path
) -> None:
    command("segment", images / "a.tif", "--out", images)
    result = command("segment", f"{images}/a*", "--out", images, "--json")
    assert result.exit_code == 0, result.output
    assert len(told(result)["images"]) == 1
    assert "Left out as results or masks: 2 (a_labels.tif, a_overlay.png)" in result.stderr
    assert "has results of 1 of these; they are replaced" in result.stderr


def test_images_of_one_name_get_folders_of_their_own(tmp_path: Path) -> None:
    for well in ("A1", "A2"):
        (tmp_path / well).mkdir()
        tifffile.imwrite(tmp_path / well / "phase.tif", NOISE)
    out = tmp_path / "out"
    result = command("segment", tmp_path / "A1", tmp_path / "A2", "--out", out)
    assert result.exit_code == 0, result.output
    assert (out / "A1" / "phase_labels.tif").is_file()
    assert (out / "A2" / "phase_labels.tif").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing/*.tif"], "nothing/*.tif is no image"),
        (["IMAGES", "--model", "startr"], "'startr' is neither"),
        (["IMAGES", "--pixel-size-um", "-1"], "must be above 0"),
        (["IMAGES", "--pixel-size-um", "nan"], "must be above 0"),
        (["IMAGES", "--diameter-um", "0"], "cell_diameter_um: Input should be greater"),
        (["IMAGES", "--peak", "0.2", "--fill", "0.5"], "fill_threshold is 0.5, above"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    tmp_path: Path, images: Path, arguments: list[str], said: str
) -> None:
    words = [str(images) if word == "IMAGES" else word for word in arguments]
    result = command("segment", *words, "--out", tmp_path / "out")
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_ctrl_c_ends_after_the_images_in_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / f"{number}.tif" for number in range(9)]
    for path in paths:
        tifffile.imwrite(path, NOISE)

    def read_and_interrupt(path: Path) -> StillImage:
        if path == paths[0]:
            os.kill(os.getpid(), signal.SIGINT)
        return read_still(path)

    name = "samcell_live.recordings.segment_images.read_still"
    monkeypatch.setattr(name, read_and_interrupt)
    result = command("segment", tmp_path, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    answer = told(result)
    done, left = len(answer["images"]), len(answer["not_begun"])
    assert done >= 1
    assert left >= 1
    assert done + left == 9
    assert f"Stopped after {done} of 9 images" in result.stderr
