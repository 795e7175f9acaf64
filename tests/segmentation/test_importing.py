"""Weights from anywhere get a name, our format and their making."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from torch import Tensor

from samcell_live.segmentation.conversion import to_hugging_face
from samcell_live.segmentation.formats import read_weights
from samcell_live.segmentation.models import load_model
from samcell_live.segmentation.weights import find_weights
from samcell_live.segmentation.weights.importing import import_weights
from samcell_live.segmentation.weights.inspection import describe_weights
from samcell_live.segmentation.weights.registry import PUBLISHED, SAMCELL_TERMS
from samcell_live.segmentation.weights.terms import UNKNOWN_TERMS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder for weights, empty, in place of the user's."""
    monkeypatch.setenv("SAMCELL_LIVE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def checkpoint(tmp_path: Path, tiny_sam: dict[str, Tensor]) -> Path:
    """A training checkpoint in Hugging Face's names."""
    path = tmp_path / "last.ckpt"
    torch.save({"epoch": 3, "model": to_hugging_face(tiny_sam)}, path)
    return path


def test_imported_weights_are_a_model_of_that_name(
    checkpoint: Path, tiny_sam: dict[str, Tensor]
) -> None:
    kept = import_weights(checkpoint, "mine")

    assert find_weights("mine") == kept
    assert load_model(kept).name == "samcell-vit_32x2"
    tensors = read_weights(kept).tensors
    assert tensors.keys() == tiny_sam.keys()
    assert all(torch.equal(tensors[name], tiny_sam[name]) for name in tiny_sam)


def test_the_making_of_imported_weights_is_kept(checkpoint: Path) -> None:
    header = read_weights(import_weights(checkpoint, "mine", terms="Ours.")).samcell

    assert header is not None
    assert header.name == "mine"
    assert header.architecture == "vit_32x2"
    assert header.source == "last.ckpt"
    assert header.source_sha256 == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert header.terms == "Ours."


def test_terms_that_nobody_stated_are_unknown_and_stay_so(checkpoint: Path) -> None:
    once = import_weights(checkpoint, "once")
    twice = read_weights(import_weights(once, "twice")).samcell

    assert twice is not None
    assert twice.terms == UNKNOWN_TERMS


def test_samcells_terms_come_along(checkpoint: Path) -> None:
    samcell = checkpoint.rename(checkpoint.with_name("samcell-cyto.pt"))
    header = read_weights(import_weights(samcell, "cyto")).samcell

    assert header is not None
    assert header.terms == SAMCELL_TERMS


def test_a_starter_is_imported_as_it_is(tiny_starter: Path) -> None:
    kept = import_weights(tiny_starter, "small")

    assert kept.read_bytes() == tiny_starter.read_bytes()


@pytest.mark.parametrize("name", ["../mine", "Mine", "", "a.pt"])
def test_a_name_that_is_none_is_refused(checkpoint: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be the name of a model"):
        import_weights(checkpoint, name)


@pytest.mark.parametrize("name", ["starter", "samcell-cyto"])
def test_the_name_of_another_model_is_refused(checkpoint: Path, name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} is the name of another model"):
        import_weights(checkpoint, name, replace=True)


def test_imported_weights_are_replaced_only_when_asked(
    checkpoint: Path, tiny_starter: Path
) -> None:
    import_weights(checkpoint, "mine")
    with pytest.raises(ValueError, match=r"weights named mine already.*--replace"):
        import_weights(tiny_starter, "mine")

    import_weights(tiny_starter, "mine", replace=True)
    assert load_model(find_weights("mine")).name == "starter"


def test_what_makes_no_network_leaves_nothing(
    tmp_path: Path, tiny_sam: dict[str, Tensor], folder: Path
) -> None:
    del tiny_sam["mask_decoder.iou_token.weight"]
    torch.save(tiny_sam, tmp_path / "bent.pt")

    with pytest.raises(ValueError, match=r"(?s)bent\.pt.*mask_decoder\.iou_token\.weight"):
        import_weights(tmp_path / "bent.pt", "bent")
    assert list(folder.rglob("*.*")) == []


def test_numbers_that_are_none_are_refused(
    tmp_path: Path, tiny_sam: dict[str, Tensor]
) -> None:
    tiny_sam["image_encoder.neck.1.bias"][0] = torch.nan
    torch.save(tiny_sam, tmp_path / "nan.pt")

    with pytest.raises(
        ValueError, match=r"nan\.pt: image_encoder\.neck\.1\.bias holds NaN"
    ):
        import_weights(tmp_path / "nan.pt", "nan")


def test_sam_itself_is_no_model_for_cells(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    monkeypatch.setitem(
        PUBLISHED,
        "sam-vit-b",
        type(PUBLISHED["sam-vit-b"])(
            "sam-vit-b",
            "",
            "https://a.org/b.pth",
            "",
            sha256=sha256,
            only_for_training=True,
        ),
    )

    with pytest.raises(ValueError, match=r"no distance maps"):
        import_weights(checkpoint, "mine")
    assert not describe_weights(checkpoint).segments


def test_imported_weights_that_changed_are_refused(checkpoint: Path) -> None:
    kept = import_weights(checkpoint, "mine")
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")

    with pytest.raises(ValueError, match=r"has changed, or is damaged"):
        find_weights("mine")


def test_a_file_is_described(checkpoint: Path, tiny_sam: dict[str, Tensor]) -> None:
    theirs = describe_weights(checkpoint)
    ours = describe_weights(import_weights(checkpoint, "mine"))

    assert (theirs.container, theirs.naming) == ("torch", "Hugging Face SamModel")
    assert (ours.container, ours.naming) == ("safetensors", "SAM")
    assert (theirs.making, ours.making["name"]) == ({}, "mine")
    assert theirs.network == ours.network == "samcell-vit_32x2"
    assert ours.n_tensors == len(tiny_sam) == theirs.n_tensors - 1
    assert ours.n_numbers == sum(tensor.numel() for tensor in tiny_sam.values())
    assert ours.dtypes == ("float32",)
    assert (ours.peak_threshold, ours.fill_threshold) == (0.47, 0.09)
    assert ours.segments
