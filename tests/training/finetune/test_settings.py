"""The paper's numbers, unless something else is said."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from pydantic import ValidationError

from samcell_live.training.finetune.settings import Augmentation, FinetuneSettings

FOLDER = (Path("cells"),)


def test_unset_settings_are_those_of_the_paper() -> None:
    it = FinetuneSettings(images=FOLDER)

    assert (it.learning_rate, it.weight_decay, it.betas) == (1e-4, 0.1, (0.9, 0.999))
    assert (it.batch, it.warmup_steps, it.patience, it.min_delta) == (8, 250, 7, 1e-4)
    how = it.augmentation
    assert (how.flip, how.rotation_deg, how.inversion) == (0.5, 180, 0.5)
    assert (how.scale, how.brightness) == ((0.8, 1.2), (0.95, 1.05))
    assert how.blur == how.noise == how.gamma == how.illumination == 0


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").touch()
    config = tmp_path / "run.yaml"
    config.write_text("{images: [cells], validation: [others], start: mine.safetensors}")

    it = FinetuneSettings.from_yaml(config)

    assert it.images == (tmp_path / "cells",)
    assert it.validation == (tmp_path / "others",)
    assert it.start == str(tmp_path / "mine.safetensors")


def test_the_example_is_the_papers_and_can_be_read() -> None:
    example = resources.files("samcell_live") / "models" / "samcell.yaml"

    it = FinetuneSettings.from_yaml(Path(str(example)))

    assert it.start == "sam-vit-b"
    assert it.augmentation == Augmentation()
    assert it.steps == pytest.approx(35 * 5600 / it.batch, rel=0.05)


def test_a_models_name_stays_a_name(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("{images: [cells], start: sam-vit-l}")

    assert FinetuneSettings.from_yaml(config).start == "sam-vit-l"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"batch": 8, "accumulate": 3}, "batch is 8.*a multiple of 3"),
        ({"batch": 6, "accumulate": 2, "devices": 2}, "batch is 6.*a multiple of 4"),
        ({"steps": 100}, "warmup_steps is 250, but there are only 100"),
        ({"augmentation": {"scale": (1.2, 0.8)}}, "scale is from 1.2 to 0.8"),
        ({"images": ()}, "at least 1 item"),
        ({"learning_rat": 1}, "learning_rat"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        FinetuneSettings.model_validate({"images": FOLDER} | changes)
