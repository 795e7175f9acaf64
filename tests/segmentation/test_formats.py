"""Weights files: what is in them comes back, and nothing in them is run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from samcell_live.segmentation.formats import HEADER_KEY, read_weights
from samcell_live.segmentation.models import load_model


class RunsCode:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path, str]]:
        return Path.write_text, (self.path, "run")


def test_a_starter_comes_back_with_its_header(tiny_starter: Path) -> None:
    weights = read_weights(tiny_starter)

    assert weights.starter is not None
    assert weights.starter.channels == (4, 6, 8)
    assert weights.starter.settings == {"seed": 1}
    assert weights.sha256 == hashlib.sha256(tiny_starter.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin"])
def test_torchs_files_are_read(
    tmp_path: Path, suffix: str, tiny_sam: dict[str, Tensor]
) -> None:
    path = tmp_path / f"sam{suffix}"
    torch.save(tiny_sam, path)

    weights = read_weights(path)

    assert weights.starter is None
    assert weights.tensors.keys() == tiny_sam.keys()


def test_foreign_safetensors_are_read(tmp_path: Path, tiny_sam: dict[str, Tensor]) -> None:
    path = tmp_path / "sam.safetensors"
    save_file(tiny_sam, path)

    assert read_weights(path).tensors.keys() == tiny_sam.keys()


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    path, mark = tmp_path / "bad.pt", tmp_path / "mark"
    torch.save({"weight": RunsCode(mark)}, path)

    with pytest.raises(ValueError, match=r"could run code"):
        read_weights(path)
    assert not mark.exists()


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("kept", [0, 100, 0.5])
def test_a_truncated_file_is_refused(
    tmp_path: Path, suffix: str, kept: float, tiny_sam: dict[str, Tensor]
) -> None:
    path = tmp_path / f"sam{suffix}"
    if suffix == ".pt":
        torch.save(tiny_sam, path)
    else:
        save_file(tiny_sam, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if kept == 0.5 else int(kept)])

    with pytest.raises(ValueError, match=r"Fetch it again"):
        read_weights(path)


def test_a_whole_model_instead_of_its_state_dict_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.pt"
    torch.save([torch.zeros(2)], path)

    with pytest.raises(ValueError, match=r"holds list, not a state dict"):
        read_weights(path)


def test_a_nested_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nested.pt"
    torch.save({"epoch": 3, "model": {"weight": torch.zeros(2)}}, path)

    with pytest.raises(ValueError, match=r"Save model\.state_dict\(\) alone"):
        read_weights(path)


def test_a_header_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "future.safetensors"
    save_file({"a": torch.zeros(2)}, path, metadata={HEADER_KEY: '{"channels": [4]}'})

    with pytest.raises(ValueError, match=r"header that this version cannot read"):
        read_weights(path)


def test_starter_tensors_that_do_not_fit_their_header_are_refused(
    tiny_starter: Path,
) -> None:
    header = read_weights(tiny_starter).starter
    assert header is not None
    save_file(
        {"stem.0.weight": torch.zeros(1)},
        tiny_starter,
        metadata={HEADER_KEY: header.model_dump_json()},
    )

    with pytest.raises(
        ValueError, match=r"tiny\.safetensors.*do not make a starter network"
    ):
        load_model(tiny_starter)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no weights file at .*gone\.pt"):
        read_weights(tmp_path / "gone.pt")
