"""The command ``evaluate`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from builders import squares
from command_line import command
from PIL import Image
from segmenters import CENTRES, blobs
from typer.testing import Result

from samcell_live.segmentation.segmenter import Segmenter

NAMES = ("SEG", "DET", "OP_CSB", "AP50", "count_error", "confluence_error")


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Holds ``found`` and ``truth``: two images, of which one is perfect."""
    for folder, ending, counts in (("found", "labels", (3, 2)), ("truth", "mask", (3, 3))):
        (tmp_path / folder).mkdir()
        for name, n_cells in zip("ab", counts, strict=True):
            path = tmp_path / folder / f"{name}_{ending}.tif"
            tifffile.imwrite(path, squares(n_cells).astype(np.uint16))
    return tmp_path


def told(result: Result) -> dict[str, Any]:
    """The last line of standard output."""
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return answer


def test_folders_are_scored_and_three_files_written(folders: Path) -> None:
    out = folders / "out"
    answer = told(
        command("evaluate", folders / "found", folders / "truth", "--out", out, "--json")
    )
    assert [answer[name] for name in NAMES[:4]] == pytest.approx([5 / 6] * 4)
    assert answer["count_error"] == pytest.approx(1 / 6)
    assert answer["confluence_error"] == pytest.approx(16 / squares(0).size / 2)
    assert {Path(file) for file in answer["files"]} == set(out.iterdir())


def test_the_headline_is_printed(folders: Path) -> None:
    out = folders / "out"
    result = command("evaluate", folders / "found", folders / "truth", "--out", out)
    assert "SEG 0.833  DET 0.833  OP_CSB 0.833  AP50 0.833" in result.stdout
    assert f"Page: {out / 'index.html'}" in result.stderr


def test_a_missing_prediction_is_refused_unless_it_is_said_to_be_right(
    folders: Path,
) -> None:
    (folders / "found" / "b_labels.tif").unlink()
    words = ["evaluate", folders / "found", folders / "truth", "--out", folders / "out"]
    refused = command(*words)
    assert refused.exit_code == 2
    assert "Without a prediction: b" in refused.stderr
    assert not (folders / "out").exists()
    answer = told(command(*words, "--missing-ok", "--json"))
    assert answer["missing"] == ["b"]
    assert answer["SEG"] == 0.5


def test_what_is_undefined_is_null(folders: Path) -> None:
    for path in (folders / "truth").iterdir():
        tifffile.imwrite(path, squares(0).astype(np.uint16))
    answer = told(
        command(
            "evaluate", folders / "found", folders / "truth", "--out", folders / "out",
            "--json",
        )
    )  # fmt: skip
    assert [answer[name] for name in NAMES[:3]] == [None] * 3
    assert (answer["AP50"], answer["count_error"]) == (0, None)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Folder of images with the starter's own answers as their truth, and one without."""
    folder = tmp_path / "images"
    folder.mkdir()
    segmenter = Segmenter.from_name("starter", device="cpu")
    for number in range(3):
        pixels = np.roll(blobs(CENTRES), 4 * number, axis=1)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        if number < 2:
            labels = segmenter(pixels).labels.astype(np.uint16)
            Image.fromarray(labels).save(folder / f"{number}_mask.png")
    return folder


def test_a_model_segments_the_images_that_there_is_truth_for(images: Path) -> None:
    out = images.parent / "out"
    words = ["evaluate", images, images, "--model", "starter", "--device", "cpu"]
    answer = told(command(*words, "--out", out, "--missing-ok", "--json"))
    assert (answer["images"], answer["SEG"]) == (2, 1)
    assert answer["predictions"] == f"starter on {images}"
    kept = sorted(path.name for path in (out / "predictions").glob("*.tif"))
    assert kept == ["0_labels.tif", "1_labels.tif"]


def test_an_image_that_cannot_be_segmented_counts_as_nothing_found(images: Path) -> None:
    (images / "0.png").write_bytes(b"no image")
    words = ["evaluate", images, images, "--model", "starter", "--out", images / "out"]
    (images / "2.png").unlink()
    failed = command(*words)
    assert failed.exit_code == 1
    assert "0.png cannot be read as an image" in failed.stderr
    assert "Without a prediction: 0" in failed.stderr
    assert told(command(*words, "--missing-ok", "--json"))["missing"] == ["0"]


def test_a_folder_without_images_is_refused(folders: Path) -> None:
    words = [folders / "found", folders / "truth", "--model", "starter"]
    result = command("evaluate", *words, "--out", folders / "out")
    assert result.exit_code == 2
    assert "has no images to segment" in result.stderr


def test_images_are_refused_before_any_time_is_spent(images: Path) -> None:
    result = command(
        "evaluate", images, images, "--model", "starter", "--out", images / "out"
    )
    assert result.exit_code == 2
    assert "without truth: 2" in result.stderr
    assert not (images / "out").exists()
