"""A student learns what its teacher sees, who is asked once for each image."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
import torch
from seeing_sam import seeing_sam, simulated_field
from segmenters import blobs, sees_brightness

from samcell_live.segmentation.formats import read_weights
from samcell_live.segmentation.headers import Teacher
from samcell_live.segmentation.segmenter import Segmenter, load_segmenter
from samcell_live.segmentation.weights.terms import UNKNOWN_TERMS
from samcell_live.settings import SegmentationSettings
from samcell_live.training.data.image_files import read_pixels
from samcell_live.training.distil import answers
from samcell_live.training.distil.lessons import find_images
from samcell_live.training.distil.report import DistilReport
from samcell_live.training.distil.run import distil
from samcell_live.training.distil.settings import DistilSettings
from samcell_live.training.report import TrainingReport
from samcell_live.training.thresholds import Thresholds

TINY = {
    "channels": [4, 6],
    "crop_px": 32,
    "batch": 2,
    "steps": 6,
    "warmup_steps": 2,
    "checkpoint_every": 2,
}


def changed(settings: DistilSettings, **changes: Any) -> DistilSettings:
    return DistilSettings.model_validate(settings.model_dump() | changes)


def run(settings: DistilSettings, folder: Path, **listeners: Any) -> DistilReport | None:
    return distil(settings, folder, device="cpu", **listeners)


def losses(folder: Path) -> list[float]:
    table = np.genfromtxt(folder / "log.csv", delimiter=",", skip_header=1)
    return [float(loss) for loss in table[:, 1]]


def is_not_asked(*_: Any, **__: Any) -> Segmenter:
    raise AssertionError("the teacher was asked again")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> DistilSettings:
    """A reduced SAM that sees cells, and six images, a mask and a damaged file."""
    pytest.importorskip("transformers", reason="the teacher is transformers' SAM")
    folder = tmp_path_factory.mktemp("distil")
    sam = seeing_sam(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_dim=64,
        global_attn_indexes=[1],
    )
    torch.save(sam.state_dict(), folder / "teacher.pt")
    images = folder / "images"
    images.mkdir()
    field = simulated_field((256, 384)).image
    for number in range(6):
        top, left = 128 * (number // 3), 128 * (number % 3)
        cut = field[top : top + 128, left : left + 128]
        cv2.imwrite(str(images / f"{number}.png"), cut)
    cv2.imwrite(str(images / "0_mask.png"), np.ones((128, 128), np.uint8))
    (images / "broken.png").write_bytes(b"no image")
    return DistilSettings.model_validate(
        {"teacher": str(folder / "teacher.pt"), "images": images, **TINY}
    )


@pytest.fixture(scope="module")
def unbroken(
    settings: DistilSettings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, DistilReport]:
    """A run that went through: its folder and its report."""
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    report = run(settings, folder)
    assert report is not None
    return folder, report


@pytest.fixture
def bright(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DistilSettings:
    """Six images of blobs, and a teacher to whom what is bright is a cell."""
    monkeypatch.setattr(answers, "load_segmenter", lambda *_, **__: sees_brightness())
    images = tmp_path / "blobs"
    images.mkdir()
    for number in range(6):
        pixels = blobs([(20, 20 + 4 * number), (60, 70)], shape=(90, 120))
        cv2.imwrite(str(images / f"{number}.png"), pixels)
    return DistilSettings.model_validate({"teacher": "starter", "images": images, **TINY})


def test_a_run_leaves_what_it_says(unbroken: tuple[Path, DistilReport]) -> None:
    folder, report = unbroken

    assert {path.name for path in folder.iterdir()} == {
        "checkpoint.pt",
        "log.csv",
        "settings.json",
        "starter.safetensors",
        "summary.txt",
        "teacher",
        "validation_4.png.png",
    }
    assert (folder / "summary.txt").read_text() == report.summary() + "\n"
    kept = sorted(path.name[:5] for path in (folder / "teacher").glob("*.npz"))
    assert kept == [f"{number}.png" for number in range(6)]


def test_the_weights_say_who_taught_them_and_under_which_terms(
    settings: DistilSettings, unbroken: tuple[Path, DistilReport]
) -> None:
    _, report = unbroken
    header = read_weights(report.student.weights).starter

    assert header is not None
    assert header.teacher == Teacher(
        name=settings.teacher,
        sha256=read_weights(Path(settings.teacher)).sha256,
        terms=UNKNOWN_TERMS,
    )
    assert header.trained_on == (f"{settings.images.parent.name}/images",)
    assert header.settings == settings.model_dump(mode="json")
    segmenter = load_segmenter(SegmentationSettings(model=str(report.student.weights)))
    assert segmenter(np.zeros((50, 70), np.uint8)).labels.shape == (50, 70)


def test_every_fifth_image_is_held_back_and_scored_against_the_teacher(
    settings: DistilSettings, unbroken: tuple[Path, DistilReport]
) -> None:
    _, report = unbroken
    teacher = load_segmenter(SegmentationSettings(model=settings.teacher), device="cpu")
    seen = teacher(read_pixels(settings.images / "4.png"))

    (score,) = report.student.scores

    assert (report.n_learnt, report.n_passed_over) == (5, 1)
    assert score.name == "4.png"
    assert score.true_cell_count == seen.labels.max() > 0
    assert report.op_csb == score.op_csb
    assert report.times_faster == report.teacher_s / report.student_s > 0
    assert f"OP_CSB {report.op_csb:.3f}" in report.summary().splitlines()[-1]


def test_an_image_that_cannot_be_read_is_named_and_left_out(
    unbroken: tuple[Path, DistilReport],
) -> None:
    _, report = unbroken

    (fault,) = report.left_out

    assert fault.startswith("broken.png: ")
    assert f"left out: {fault}" in report.summary()


def test_masks_and_results_are_no_images_to_learn_from(settings: DistilSettings) -> None:
    images = find_images(settings.images)

    of_cells = [path.name for path in images.of_cells]
    assert of_cells == [*(f"{number}.png" for number in range(6)), "broken.png"]
    assert [path.name for path in images.passed_over] == ["0_mask.png"]


def test_the_loss_falls_without_asking_again_where_the_answers_are_taken_along(
    settings: DistilSettings,
    unbroken: tuple[Path, DistilReport],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "load_segmenter", is_not_asked)
    folder, _ = unbroken
    shutil.copytree(folder / "teacher", tmp_path / "teacher")
    longer = changed(settings, steps=60, learning_rate=0.02, checkpoint_every=60)

    report = run(longer, tmp_path)

    assert report is not None
    curve = losses(tmp_path)
    assert np.mean(curve[-20:]) < 0.9 * np.mean(curve[:2])


def test_a_stopped_run_goes_on_with_the_same_losses_and_does_not_ask_again(
    settings: DistilSettings,
    unbroken: tuple[Path, DistilReport],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, expected = unbroken
    stop, steps = threading.Event(), list[int]()

    def stop_after_three(step: Any) -> None:
        steps.append(step.step)
        if step.step == 3:
            stop.set()

    shutil.copytree(whole / "teacher", tmp_path / "teacher")
    monkeypatch.setattr(answers, "load_segmenter", is_not_asked)
    assert run(settings, tmp_path, on_step=stop_after_three, stop=stop) is None
    assert (tmp_path / "checkpoint.pt").exists()
    report = run(settings, tmp_path, on_step=lambda step: steps.append(step.step))

    assert report is not None
    assert steps == [1, 2, 3, 4, 5, 6]
    assert losses(tmp_path) == pytest.approx(losses(whole), rel=1e-6)
    assert report.student.scores == expected.student.scores


def test_a_run_that_is_stopped_while_the_teacher_looks_keeps_what_it_saw(
    bright: DistilSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, asked = threading.Event(), list[Any]()
    ask = answers.TeacherAnswers._ask

    def count(self: answers.TeacherAnswers, pixels: Any) -> answers.Answer:
        asked.append(pixels)
        return ask(self, pixels)

    def stop_after_two(n_done: int, n_images: int) -> None:
        assert n_images == 6
        if n_done == 2:
            stop.set()

    monkeypatch.setattr(answers.TeacherAnswers, "_ask", count)
    assert run(bright, tmp_path / "run", on_image=stop_after_two, stop=stop) is None
    assert len(asked) == 2
    assert run(bright, tmp_path / "run") is not None
    assert len(asked) == 6


def test_an_image_that_changed_is_asked_about_again(
    bright: DistilSettings, tmp_path: Path
) -> None:
    run(bright, tmp_path / "run")
    shutil.copy(bright.images / "1.png", bright.images / "0.png")

    run(bright, tmp_path / "run")

    kept = [path.name[:5] for path in (tmp_path / "run" / "teacher").glob("*.npz")]
    assert kept.count("0.png") == 2


def test_answers_of_another_teacher_are_refused(
    settings: DistilSettings, unbroken: tuple[Path, DistilReport], tmp_path: Path
) -> None:
    folder, _ = unbroken
    shutil.copytree(folder / "teacher", tmp_path / "teacher")

    with pytest.raises(ValueError, match=r"answers of .*teacher\.pt.*, not of starter"):
        run(changed(settings, teacher="starter"), tmp_path)
    with pytest.raises(ValueError, match=r"holds a run whose teacher is .*teacher\.pt"):
        run(changed(settings, teacher="starter"), folder)


def test_answers_at_another_scale_are_refused(
    bright: DistilSettings, tmp_path: Path
) -> None:
    run(bright, tmp_path / "run")
    shutil.copytree(tmp_path / "run" / "teacher", tmp_path / "other" / "teacher")
    scaled = changed(bright, cell_diameter_px=20)

    with pytest.raises(ValueError, match=r"not of starter.*told 20\.0 px"):
        run(scaled, tmp_path / "other")


def test_fewer_than_two_images_that_can_be_read_are_refused(
    bright: DistilSettings, tmp_path: Path
) -> None:
    for number in range(6):
        (bright.images / f"{number}.png").write_bytes(b"no image")
    unknown = np.full((8, 8), np.nan, np.float32)
    tifffile.imwrite(bright.images / "all_unknown.tif", unknown)

    with pytest.raises(ValueError, match=r"0 of 7 images can be used.*0\.png.*7 in all"):
        run(bright, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_teacher_that_sees_no_cell_has_nothing_to_teach(
    bright: DistilSettings, tmp_path: Path
) -> None:
    for number in range(6):
        flat = np.full((40, 40), 100 + number, np.uint8)
        cv2.imwrite(str(bright.images / f"{number}.png"), flat)

    with pytest.raises(ValueError, match=r"sees no cell in any of 5 images"):
        run(bright, tmp_path / "run")


def test_of_a_few_images_the_last_is_held_back_and_empty_ones_are_learnt_last(
    bright: DistilSettings, tmp_path: Path
) -> None:
    cv2.imwrite(str(bright.images / "0.png"), np.full((90, 120), 7, np.uint8))
    for number in (3, 4, 5):
        (bright.images / f"{number}.png").unlink()

    report = run(bright, tmp_path / "run")

    assert report is not None
    assert report.n_learnt == 2
    assert [score.name for score in report.student.scores] == ["2.png"]


def test_seconds_on_another_device_are_not_compared() -> None:
    nan = float("nan")
    student = TrainingReport(Path("w"), 6, 0.1, Thresholds(0.5, 0.1, 0.9), ())
    teacher = Teacher(name="samcell-cyto", sha256="0" * 64, terms="Theirs.")
    report = DistilReport(student, teacher, 5, 0, (), "cuda", nan, 0.5)

    assert "the teacher was asked on another device" in report.summary()
    said = json.loads(json.dumps(report.for_json(), allow_nan=False))
    assert (said["times_faster"], said["op_csb"], said["student_s"]) == (None, None, 0.5)
    assert said["terms"] == "Theirs."


def test_settings_are_read_relative_to_their_file(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").touch()
    text = "{teacher: mine.safetensors, images: cells, steps: 900}"
    (tmp_path / "distil.yaml").write_text(text)

    settings = DistilSettings.from_yaml(tmp_path / "distil.yaml")

    assert settings.images == tmp_path / "cells"
    assert settings.teacher == str(tmp_path / "mine.safetensors")
    assert settings.steps == 900
    assert "folders" not in settings.model_dump()


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"folders": [{"folder": "masks"}]}, "folders"),
        ({"simulated": {"count": 3}}, "simulated"),
        ({"cell_diameter_px": -20}, "cell_diameter_px"),
    ],
)
def test_what_no_teacher_can_use_is_refused(more: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        DistilSettings.model_validate({"teacher": "starter", "images": "cells", **more})
