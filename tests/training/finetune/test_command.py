"""``samcell-live finetune`` as a user meets it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import yaml
from command_line import command

from samcell_live.cli.training import _finetune_settings
from samcell_live.training.finetune.settings import FinetuneSettings


def test_a_configuration_is_trained_and_the_result_said(
    settings: FinetuneSettings, tmp_path: Path
) -> None:
    config = tmp_path / "cells.yaml"
    config.write_text(yaml.safe_dump(settings.model_dump(mode="json") | {"steps": 4}))
    run = tmp_path / "run"

    result = command("finetune", config, "--out", run, "--device", "cpu", "--json")

    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout.splitlines()[-1])
    assert said["weights"] == str(run / "best.safetensors")
    assert said["steps"] == 4
    assert "4 images learnt from, 2 validated on" in result.stdout


def test_a_folder_of_images_is_enough(tmp_path: Path) -> None:
    settings = _finetune_settings(None, {"images": [tmp_path]})

    assert settings.images == (tmp_path,)
    assert settings.start == "samcell-generalist"
    assert settings.steps > settings.warmup_steps
    assert settings.steps // settings.validate_every > settings.patience


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "nothing to learn from"),
        (("--images", "nowhere", "--from", "starter"), "nowhere does not exist"),
        (("--images", "nowhere", "--steps", "100"), "only 100 steps"),
        (("--images", "nowhere", "--from", "unheard-of"), "neither a model nor a file"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    arguments: tuple[str, ...], complaint: str, tmp_path: Path
) -> None:
    result = command("finetune", *arguments, "--out", tmp_path / "run")

    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())
    assert not (tmp_path / "run").exists()


def test_without_lightning_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "samcell_live.cli.training.find_spec",
        lambda name: None if name == "lightning" else find(name),
    )

    result = command("finetune", "--images", tmp_path, "--out", tmp_path / "run")

    assert result.exit_code == 2
    assert "pip install 'samcell-live[train]'" in " ".join(result.output.split())
