"""``samcell-live distil`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
import yaml
from command_line import command
from segmenters import blobs

from samcell_live.segmentation.formats import read_weights
from samcell_live.segmentation.weights.registry import STARTER_TERMS


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two images, as few as can be."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(2):
        pixels = blobs([(20, 20 + 9 * number), (60, 70), (70, 30)], shape=(90, 120))
        cv2.imwrite(str(folder / f"{number}.png"), pixels)
    return folder


def config(images: Path) -> Path:
    path = images.parent / "distil.yaml"
    settings = {
        "teacher": "starter",
        "images": images.name,
        "channels": [4, 6],
        "crop_px": 32,
        "batch": 2,
        "warmup_steps": 1,
    }
    path.write_text(yaml.safe_dump(settings))
    return path


def test_a_student_is_trained_and_the_result_said(images: Path, tmp_path: Path) -> None:
    (images / "damaged.png").write_bytes(b"no image")
    run = tmp_path / "run"

    result = command(
        "distil", config(images), "--out", run, "--steps", 3, "--device", "cpu", "--json"
    )

    assert result.exit_code == 1, result.output
    said = json.loads(result.stdout.splitlines()[-1])
    assert said["weights"] == str(run / "starter.safetensors")
    assert (said["steps"], said["teacher"], said["terms"]) == (3, "starter", STARTER_TERMS)
    assert said["times_faster"] > 0
    (fault,) = said["left_out"]
    assert fault.startswith("damaged.png")
    assert f"left out: {fault}" in result.stdout
    header = read_weights(run / "starter.safetensors").starter
    assert header is not None
    assert header.teacher is not None
    assert header.teacher.sha256 == said["teacher_sha256"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "Give --teacher and --images"),
        (("--teacher", "starter"), "Give --teacher and --images"),
        (("--teacher", "starter", "--images", "nowhere"), "nowhere is no folder"),
        (("--teacher", "starter", "--images", ".", "--steps", 9), "only 9 steps"),
        (("--teacher", "starter", "--images", ".", "--diameter-px", 0), "cell_diameter_px"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    arguments: tuple[object, ...], complaint: str, tmp_path: Path
) -> None:
    result = command("distil", *arguments, "--out", tmp_path / "run")

    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("teacher", "complaint"),
    [
        ("unheard-of", "neither a model nor a file"),
        ("sam-vit-b", "its masks are no distance maps"),
    ],
)
def test_what_cannot_teach_is_refused_before_anything_is_written(
    teacher: str, complaint: str, images: Path, tmp_path: Path
) -> None:
    result = command(
        "distil", "--teacher", teacher, "--images", images, "--out", tmp_path / "run"
    )

    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())
    assert not (tmp_path / "run").exists()


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0_mask.png").touch()

    result = command(
        "distil", "--teacher", "starter", "--images", tmp_path, "--out", tmp_path / "run"
    )

    assert result.exit_code == 2
    assert "has no image" in result.output


def test_a_folder_of_another_run_is_refused_before_anything_is_fetched(
    images: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "settings.json").write_text('{"teacher": "starter"}')

    result = command(
        "distil", "--teacher", "samcell-cyto", "--images", images, "--out", run
    )

    assert result.exit_code == 2
    assert "holds a run whose" in result.output
