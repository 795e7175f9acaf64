"""Training from settings to a weights file that segments."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from samcell_live.segmentation.formats import read_weights, write_starter
from samcell_live.segmentation.headers import Teacher
from samcell_live.segmentation.segmenter import load_segmenter
from samcell_live.settings import SegmentationSettings
from samcell_live.training.run import claim, refuse_other_run, train_starter
from samcell_live.training.settings import ImageFolder, SimulatedFields, TrainingSettings


def test_a_run_leaves_weights_that_segment_and_say_how_they_were_made(
    tiny_settings: TrainingSettings, image_folder: Path, tmp_path: Path
) -> None:
    settings = tiny_settings.model_copy(update={"validation": image_folder})

    report = train_starter(settings, tmp_path / "run", device="cpu")
    assert report is not None

    header = read_weights(report.weights).starter
    assert header is not None
    assert header.steps == report.steps == 6
    assert header.trained_on == (f"{image_folder.parent.name}/images",)
    assert header.settings == settings.model_dump(mode="json")
    segmenter = load_segmenter(SegmentationSettings(model=str(report.weights)))
    assert segmenter.peak_threshold == report.thresholds.peak
    assert segmenter(np.zeros((50, 70), np.uint8)).labels.shape == (50, 70)


def test_a_run_with_validation_scores_and_pictures_it(
    tiny_settings: TrainingSettings, image_folder: Path, tmp_path: Path
) -> None:
    settings = tiny_settings.model_copy(update={"validation": image_folder})

    report = train_starter(settings, tmp_path / "run", device="cpu")
    assert report is not None

    assert [score.name for score in report.scores] == ["00", "01"]
    assert (tmp_path / "run" / "summary.txt").read_text() == report.summary() + "\n"
    picture = cv2.imread(str(tmp_path / "run" / "validation_01.png"))
    assert picture is not None
    assert picture.shape == (64, 64, 3)


def test_simulated_cultures_are_trained_on_without_any_folder(tmp_path: Path) -> None:
    settings = TrainingSettings(
        simulated=SimulatedFields(count=2, side_px=96),
        channels=(4, 6),
        crop_px=32,
        batch=2,
        steps=2,
        warmup_steps=1,
    )

    report = train_starter(settings, tmp_path / "run", device="cpu")
    assert report is not None

    header = read_weights(report.weights).starter
    assert header is not None
    assert header.trained_on == ("simulated",)
    assert report.scores == ()


def test_a_folder_of_other_settings_is_refused(
    tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    train_starter(tiny_settings, tmp_path / "run", device="cpu")
    other = tiny_settings.model_copy(update={"seed": 2})

    with pytest.raises(ValueError, match=r"holds a run whose seed is 1, not 2"):
        train_starter(other, tmp_path / "run", device="cpu")


def test_a_run_may_go_on_with_other_workers(
    tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    claim(tmp_path, tiny_settings)

    refuse_other_run(tmp_path, tiny_settings.model_copy(update={"workers": 3}))


def test_nothing_to_train_on_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nothing to train on"):
        train_starter(TrainingSettings(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_masks_without_a_cell_are_refused(image_folder: Path, tmp_path: Path) -> None:
    for mask in image_folder.glob("*_mask.png"):
        cv2.imwrite(str(mask), np.zeros((64, 64), np.uint16))
    settings = TrainingSettings(folders=(ImageFolder(folder=image_folder),))

    with pytest.raises(ValueError, match=r"None of the 2 masks .* has a cell"):
        train_starter(settings, tmp_path / "run")


def test_a_run_that_is_stopped_leaves_a_checkpoint_and_no_weights(
    tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    stop = threading.Event()
    stop.set()

    report = train_starter(tiny_settings, tmp_path / "run", device="cpu", stop=stop)

    assert report is None
    left = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert left == ["checkpoint.pt", "log.csv", "settings.json"]


def test_the_settings_of_a_run_can_be_read_back(
    tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    train_starter(tiny_settings, tmp_path / "run", device="cpu")

    kept = json.loads((tmp_path / "run" / "settings.json").read_text())

    assert TrainingSettings.model_validate(kept) == tiny_settings


def test_a_run_can_go_on_from_the_weights_of_another(
    tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    first = train_starter(tiny_settings, tmp_path / "first", device="cpu")
    assert first is not None
    still = tiny_settings.model_copy(
        update={"start": first.weights, "learning_rate": 1e-12, "seed": 2}
    )

    second = train_starter(still, tmp_path / "second", device="cpu")
    assert second is not None

    before, after = (read_weights(report.weights).tensors for report in (first, second))
    for name in before:
        if "head" in name:
            np.testing.assert_allclose(after[name], before[name], atol=1e-3)


def test_weights_of_another_network_are_no_start(
    tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    first = train_starter(tiny_settings, tmp_path / "first", device="cpu")
    assert first is not None
    wider = tiny_settings.model_copy(update={"start": first.weights, "channels": (8, 12)})

    with pytest.raises(ValueError, match=r"start is .* do not fit the network"):
        train_starter(wider, tmp_path / "second", device="cpu")


def test_what_goes_on_from_a_students_weights_stays_under_its_teachers_terms(
    tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    first = train_starter(tiny_settings, tmp_path / "first", device="cpu")
    assert first is not None
    weights = read_weights(first.weights)
    assert weights.starter is not None
    teacher = Teacher(name="samcell-cyto", sha256="0", terms="not for commercial use")
    student = tmp_path / "student.safetensors"
    header = weights.starter.model_copy(update={"teacher": teacher})
    write_starter(student, weights.tensors, header)

    started = tiny_settings.model_copy(update={"start": student})
    second = train_starter(started, tmp_path / "second", device="cpu")
    assert second is not None

    kept = read_weights(second.weights).starter
    assert kept is not None
    assert kept.teacher == teacher
