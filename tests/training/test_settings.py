"""Training settings are read from a file, and what cannot work is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from samcell_live.training.settings import TrainingSettings


def test_relative_folders_are_taken_from_the_files_own(tmp_path: Path) -> None:
    path = tmp_path / "training.yaml"
    path.write_text("folders: [{folder: images}]\nvalidation: ../val\n")

    settings = TrainingSettings.from_yaml(path)

    assert settings.folders[0].folder == tmp_path / "images"
    assert settings.validation == tmp_path / "../val"


def test_absolute_folders_stay(tmp_path: Path) -> None:
    path = tmp_path / "training.yaml"
    path.write_text(f"folders: [{{folder: {tmp_path / 'elsewhere'}}}]\n")

    settings = TrainingSettings.from_yaml(path)

    assert settings.folders[0].folder == tmp_path / "elsewhere"
    assert settings.validation is None


def test_the_settings_that_made_the_starter_are_in_the_package() -> None:
    path = Path(__file__).parents[2] / "samcell_live" / "models" / "starter.yaml"

    settings = TrainingSettings.from_yaml(path)

    assert settings.simulated is not None
    assert len(settings.folders) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crop_px": 100}, r"crop_px is 100.*a multiple of 32"),
        ({"steps": 100}, r"warmup_steps is 250.*only 100"),
        ({"learning_rte": 1}, r"learning_rte"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        TrainingSettings.model_validate(changes)
