"""Weights from the command line: list, fetch, info, import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import command
from file_server import serving

from samcell_live.segmentation.weights import find_weights

STARTER = find_weights("starter")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder for weights, empty, in place of the user's."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SAMCELL_LIVE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def told(*arguments: object) -> dict[str, Any]:
    """Run ``samcell-live models``; gives its JSON."""
    result = command("models", *arguments, "--json")
    assert result.exit_code == 0, result.output
    last: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return last


def listed() -> dict[str, dict[str, Any]]:
    return {model["name"]: model for model in told("list")["models"]}


def test_every_named_model_is_listed_with_its_terms() -> None:
    models = listed()

    assert list(models) == [
        "starter",
        "samcell-generalist",
        "samcell-cyto",
        "sam-vit-b",
        "sam-vit-l",
        "sam-vit-h",
    ]
    assert models["starter"]["path"] == str(STARTER)
    assert models["samcell-cyto"]["path"] is None
    assert models["samcell-cyto"]["sha256"] is None
    assert "CC BY-NC" in models["samcell-cyto"]["terms"]
    assert models["sam-vit-b"]["size_bytes"] == 375_042_383
    assert models["sam-vit-b"]["checksum"] == "published"


def test_an_address_is_fetched_and_described(folder: Path) -> None:
    with serving(STARTER.read_bytes(), name="away.safetensors") as served:
        path = told("fetch", served.address)["path"]

    assert Path(path).parent == folder
    assert Path(path).read_bytes() == STARTER.read_bytes()
    assert told("info", path)["network"] == "starter"


def test_the_starter_is_described_by_its_name() -> None:
    result = command("models", "info", "starter")

    assert result.exit_code == 0, result.output
    assert "3,919,659 numbers" in result.stdout
    assert "peak 0.2, fill 0.037" in result.stdout


def test_an_imported_model_is_listed_and_described() -> None:
    told("import", STARTER, "--name", "mine")

    assert listed()["mine"]["checksum"] == "recorded"
    assert told("info", "mine")["sha256"] == told("info", "starter")["sha256"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("info", "samcell-cyto"), "models fetch samcell-cyto"),
        (("info", "nothing"), "'nothing' is neither a model nor a file"),
        (("fetch", "http://127.0.0.1:9/none.pt"), "could not be fetched"),
        (("import", STARTER, "--name", "starter"), "is the name of another model"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(
    arguments: tuple[object, ...], words: str
) -> None:
    result = command("models", *arguments)

    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_weights_that_are_none_are_refused_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "bad.pt").write_bytes(b"no weights")

    result = command("models", "import", tmp_path / "bad.pt", "--name", "bad")

    assert result.exit_code == 2, result.output
    assert "bad.pt is damaged, or was not saved by torch" in result.stderr


def test_listing_models_waits_for_no_torch() -> None:
    script = "import sys, samcell_live.cli.models; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )

    assert done.stdout == "False\n"
