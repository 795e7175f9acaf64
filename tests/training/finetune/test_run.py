"""A run comes to the same losses however it is cut up, and leaves weights that segment."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from samcell_live.segmentation.formats import read_weights
from samcell_live.segmentation.headers import FineTuning
from samcell_live.segmentation.segmenter import load_segmenter
from samcell_live.segmentation.tiling import EvenTiling
from samcell_live.segmentation.weights.importing import import_weights
from samcell_live.settings import SegmentationSettings
from samcell_live.training.finetune.loop import FinetuneLoop, Listeners, map_loss
from samcell_live.training.finetune.losses import Step
from samcell_live.training.finetune.report import FinetuneReport
from samcell_live.training.finetune.run import finetune
from samcell_live.training.finetune.settings import FinetuneSettings

KILLED = 9


def changed(settings: FinetuneSettings, **changes: Any) -> FinetuneSettings:
    return FinetuneSettings.model_validate(settings.model_dump() | changes)


def run(
    settings: FinetuneSettings, folder: Path, **listeners: Any
) -> FinetuneReport | None:
    return finetune(settings, folder, device="cpu", listeners=Listeners(**listeners))


def losses(folder: Path) -> np.ndarray:
    """Of all steps: step, loss, learning rate, validation loss."""
    return np.genfromtxt(folder / "losses.csv", delimiter=",", skip_header=1)


@pytest.fixture(scope="module")
def unbroken(settings: FinetuneSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that went through."""
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    assert run(settings, folder) is not None
    return folder


def test_a_run_leaves_what_it_says(unbroken: Path) -> None:
    assert {path.name for path in unbroken.iterdir()} == {
        "best.safetensors",
        "checkpoint.pt",
        "losses.csv",
        "prepared",
        "report.png",
        "settings.json",
        "summary.txt",
        "tensorboard",
    }
    assert any((unbroken / "tensorboard").glob("events.*"))


def test_tensorboard_is_told_what_the_table_of_losses_says(unbroken: Path) -> None:
    event_accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    events = event_accumulator.EventAccumulator(str(unbroken / "tensorboard"))
    events.Reload()
    steps, loss, _, validation = losses(unbroken).T

    told = [(event.step, event.value) for event in events.Scalars("loss")]
    assert told == [
        (step, pytest.approx(value)) for step, value in zip(steps, loss, strict=True)
    ]
    validated = [event.value for event in events.Scalars("validation_loss")]
    assert validated == pytest.approx(validation[np.isfinite(validation)])


def test_losses_of_all_steps_are_kept_and_some_validated(unbroken: Path) -> None:
    steps, loss, _, validation = losses(unbroken).T

    np.testing.assert_array_equal(steps, range(1, 7))
    assert np.isfinite(loss).all()
    np.testing.assert_array_equal(np.isfinite(validation), [False, False, True] * 2)


def test_the_weights_say_how_they_were_made(
    settings: FinetuneSettings, unbroken: Path
) -> None:
    header = read_weights(unbroken / "best.safetensors").samcell

    assert header is not None
    assert header.source_sha256 == read_weights(Path(settings.start)).sha256
    tuning = header.fine_tuning
    assert isinstance(tuning, FineTuning)
    validation = losses(unbroken)[:, 3]
    assert tuning.steps == 1 + np.nanargmin(validation)
    assert tuning.validation_loss == pytest.approx(np.nanmin(validation))
    assert tuning.settings == settings.model_dump(mode="json")
    assert tuning.n_images == 4


def test_the_weights_segment_with_their_own_thresholds(unbroken: Path) -> None:
    weights = unbroken / "best.safetensors"
    header = read_weights(weights).samcell
    assert header is not None
    assert header.fine_tuning is not None

    segmenter = load_segmenter(SegmentationSettings(model=str(weights)))

    assert segmenter.peak_threshold == header.fine_tuning.peak_threshold
    assert segmenter(np.zeros((30, 40), np.uint8)).labels.shape == (30, 40)


def test_weights_that_are_imported_keep_their_thresholds(
    unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMCELL_LIVE_MODELS", str(tmp_path))
    ours = read_weights(unbroken / "best.safetensors").samcell

    kept = read_weights(import_weights(unbroken / "best.safetensors", "mine")).samcell

    assert ours is not None
    assert kept is not None
    assert kept.fine_tuning == ours.fine_tuning


def test_a_pixel_of_unknown_target_has_no_error() -> None:
    logits = torch.zeros(1, 1, 2, 2, requires_grad=True)
    targets = torch.tensor([[[[0.5, 1.0], [float("nan"), 0.0]]]])

    loss = map_loss(logits, targets)
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped

    assert loss.item() == pytest.approx((0.25 + 0.25) / 4)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0, 0, 1, 0] == 0


def test_weights_of_another_patch_size_use_tiles_of_that_size(
    settings: FinetuneSettings, tmp_path: Path
) -> None:
    report = run(changed(settings, patch_px=24, steps=3), tmp_path / "run")
    assert report is not None

    segmenter = load_segmenter(SegmentationSettings(model=str(report.weights)))

    tiling = segmenter._model.tiling
    assert isinstance(tiling, EvenTiling)
    assert tiling.largest_px == 24
    distance = segmenter.predict_distance(np.zeros((50, 70), np.uint8))
    assert distance.shape == (50, 70)


def test_a_checkpoint_explains_itself_and_is_read_without_running_code(
    settings: FinetuneSettings, unbroken: Path
) -> None:
    checkpoint = torch.load(unbroken / "checkpoint.pt", weights_only=True)

    about = json.loads(checkpoint["about"])
    assert about["step"] == 6
    assert about["start"] == settings.start
    assert about["settings"] == settings.model_dump(mode="json")
    assert "goes on from it" in about["what"]


def test_the_picture_shows_losses_and_examples(unbroken: Path) -> None:
    with Image.open(unbroken / "report.png") as picture:
        pixels = np.asarray(picture)

    assert pixels.shape[:2] == (340 + 2 * 341, 960)
    image, target, prediction = (
        pixels[370:660, left : left + 290] for left in (20, 335, 650)
    )
    assert np.ptp(image) > 200
    assert len(np.unique(target.reshape(-1, 3), axis=0)) > 10
    assert not np.array_equal(target, prediction)


def test_the_same_seed_gives_the_same_weights(
    settings: FinetuneSettings, unbroken: Path, tmp_path: Path
) -> None:
    run(settings, tmp_path / "again")

    np.testing.assert_array_equal(losses(tmp_path / "again"), losses(unbroken))
    ours, theirs = (
        read_weights(folder / "best.safetensors").tensors
        for folder in (tmp_path / "again", unbroken)
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_stopped_run_goes_on_with_the_same_losses(
    settings: FinetuneSettings, unbroken: Path, tmp_path: Path
) -> None:
    stop = threading.Event()

    def stop_after_five(step: Step) -> None:
        if step.step == 5:
            stop.set()

    assert run(settings, tmp_path, on_step=stop_after_five, stop=stop) is None
    assert len(losses(tmp_path)) == 5
    seen: list[Step] = []
    assert run(settings, tmp_path, on_step=seen.append) is not None

    assert [step.step for step in seen] == [6]
    np.testing.assert_allclose(losses(tmp_path), losses(unbroken), rtol=1e-6)


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_same_losses(
    settings: FinetuneSettings, unbroken: Path, tmp_path: Path
) -> None:
    """Killed in the middle of step 4's telling, after a checkpoint of step 3."""
    (tmp_path / "settings.json").write_text(settings.model_dump_json())
    script = f"""
import os
from pathlib import Path
from samcell_live.training.finetune.loop import Listeners
from samcell_live.training.finetune.run import finetune
from samcell_live.training.finetune.settings import FinetuneSettings

folder = Path({str(tmp_path)!r})
settings = FinetuneSettings.model_validate_json((folder / "settings.json").read_text())
die = lambda step: os._exit({KILLED}) if step.step == 4 else None
finetune(settings, folder, device="cpu", listeners=Listeners(on_step=die))
"""
    assert subprocess.run([sys.executable, "-c", script]).returncode == KILLED
    assert len(losses(tmp_path)) == 3

    seen: list[Step] = []
    run(settings, tmp_path, on_step=seen.append)

    assert [step.step for step in seen] == [4, 5, 6]
    np.testing.assert_allclose(losses(tmp_path), losses(unbroken), rtol=1e-6)


def test_a_step_that_fails_keeps_the_steps_before_it(
    settings: FinetuneSettings,
    unbroken: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = FinetuneLoop._differentiate

    def fails_once(loop: FinetuneLoop, parts: Any) -> float:
        if len(loop.history) == 5:
            raise OSError("the share is away")
        return real(loop, parts)

    monkeypatch.setattr(FinetuneLoop, "_differentiate", fails_once)
    with pytest.raises(OSError, match="the share is away"):
        run(settings, tmp_path)
    monkeypatch.undo()
    seen: list[Step] = []
    run(settings, tmp_path, on_step=seen.append)

    assert [step.step for step in seen] == [6]
    np.testing.assert_allclose(losses(tmp_path), losses(unbroken), rtol=1e-6)


def test_a_batch_in_parts_has_the_same_losses(
    settings: FinetuneSettings, unbroken: Path, tmp_path: Path
) -> None:
    run(changed(settings, accumulate=4, recompute=True), tmp_path)

    np.testing.assert_allclose(losses(tmp_path), losses(unbroken), rtol=1e-3)


def test_mixed_precision_comes_close(
    settings: FinetuneSettings,
    unbroken: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Every CPU can emulate it; the refusal is for slowness.
    monkeypatch.setattr("samcell_live.training.finetune.run.check_precision", print)

    run(changed(settings, precision="bfloat16"), tmp_path)

    mixed, exact = losses(tmp_path)[:, 1], losses(unbroken)[:, 1]
    np.testing.assert_allclose(mixed, exact, rtol=0.1)
    assert not np.array_equal(mixed, exact)


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(
    settings: FinetuneSettings, unbroken: Path, tmp_path: Path
) -> None:
    config = tmp_path / "two.json"
    config.write_text(changed(settings, devices=2).model_dump_json())
    script = tmp_path / "two.py"
    script.write_text(
        f"""
from pathlib import Path
from samcell_live.training.finetune.run import finetune
from samcell_live.training.finetune.settings import FinetuneSettings

settings = FinetuneSettings.model_validate_json(Path({str(config)!r}).read_text())
finetune(settings, Path({str(tmp_path / "run")!r}), device="cpu")
"""
    )
    subprocess.run([sys.executable, script], check=True, timeout=300)

    np.testing.assert_allclose(losses(tmp_path / "run"), losses(unbroken), rtol=1e-3)


def test_training_makes_the_loss_fall(settings: FinetuneSettings, tmp_path: Path) -> None:
    longer = changed(settings, steps=16, validate_every=16)

    run(longer, tmp_path)

    loss = losses(tmp_path)[:, 1]
    assert loss[-4:].mean() < 0.6 * loss[:2].mean()


def test_a_run_without_progress_ends_early(
    settings: FinetuneSettings, tmp_path: Path
) -> None:
    hopeless = changed(settings, min_delta=1, validate_every=1, patience=2)

    report = run(hopeless, tmp_path)

    assert report is not None
    assert report.steps == 3
    assert len(losses(tmp_path)) == 3


def test_a_finished_run_is_not_trained_again(
    settings: FinetuneSettings, unbroken: Path
) -> None:
    seen: list[Step] = []

    report = run(settings, unbroken, on_step=seen.append)

    assert not seen
    assert report is not None
    assert report.steps == 6


def test_a_folder_of_other_settings_is_refused(
    settings: FinetuneSettings, unbroken: Path
) -> None:
    with pytest.raises(ValueError, match=r"holds a run whose seed is 1, not 2"):
        run(changed(settings, seed=2), unbroken)


def test_a_loss_that_is_no_number_ends_the_run_and_spares_the_checkpoint(
    settings: FinetuneSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends_in_nan(loop: FinetuneLoop, parts: Any) -> float:
        return float("nan") if len(loop.history) == 2 else 0.5

    monkeypatch.setattr(FinetuneLoop, "_differentiate", ends_in_nan)

    with pytest.raises(RuntimeError, match=r"loss of step 3 is nan. Lower the learning"):
        run(settings, tmp_path)
    assert len(losses(tmp_path)) == 2


def test_the_learning_rate_follows_the_schedule(unbroken: Path) -> None:
    rates = losses(unbroken)[:, 2]

    assert rates == pytest.approx([0.0005, 0.001, 0.001, 0.00075, 0.0005, 0.00025])
    assert all(later < rate for rate, later in pairwise(rates[2:]))
