"""Weights files: what is in them comes back, and nothing in them is run."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from samcell_live.segmentation.conversion import to_hugging_face
from samcell_live.segmentation.formats import read_weights, write_samcell
from samcell_live.segmentation.headers import HEADER_KEY, SamcellHeader
from samcell_live.segmentation.models import load_model

POSITION = {"image_encoder.pos_embed": torch.arange(8.0).reshape(1, 2, 2, 2)}
"""The least that may be SAM's."""

HEADER = SamcellHeader(
    name="mine",
    architecture="vit_32x2",
    package="samcell_live 0",
    source="sam.pth",
    source_sha256="0" * 64,
    terms="None.",
)


class RunsCommand:
    """Runs a shell command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def test_a_starter_comes_back_with_its_header(tiny_starter: Path) -> None:
    weights = read_weights(tiny_starter)

    assert weights.starter is not None
    assert weights.starter.channels == (4, 6, 8)
    assert weights.starter.settings == {"seed": 1}
    assert weights.sha256 == hashlib.sha256(tiny_starter.read_bytes()).hexdigest()


def test_our_samcell_comes_back_with_its_header(
    tmp_path: Path, tiny_sam: dict[str, Tensor]
) -> None:
    path = tmp_path / "mine.safetensors"
    write_samcell(path, tiny_sam, HEADER)

    weights = read_weights(path)

    assert weights.samcell == HEADER
    assert weights.tensors.keys() == tiny_sam.keys()
    assert all(torch.equal(weights.tensors[name], tiny_sam[name]) for name in tiny_sam)


def test_whoever_may_read_other_new_files_may_read_ours(tmp_path: Path) -> None:
    path, other = tmp_path / "mine.safetensors", tmp_path / "other"
    write_samcell(path, POSITION, HEADER)
    other.touch()

    assert path.stat().st_mode == other.stat().st_mode


def test_half_precision_stays_half(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    write_samcell(path, {name: t.half() for name, t in POSITION.items()}, HEADER)

    (tensor,) = read_weights(path).tensors.values()
    assert tensor.dtype == torch.float16


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ""])
@pytest.mark.parametrize("as_zip", [True, False])
def test_torchs_files_are_read(tmp_path: Path, suffix: str, as_zip: bool) -> None:
    path = tmp_path / f"sam{suffix}"
    torch.save(POSITION, path, _use_new_zipfile_serialization=as_zip)

    assert read_weights(path).tensors.keys() == POSITION.keys()


@pytest.mark.parametrize("name", ["sam.safetensors", "sam.pt", "sam"])
def test_foreign_safetensors_are_read_whatever_their_name(
    tmp_path: Path, name: str
) -> None:
    save_file(POSITION, tmp_path / name)

    assert read_weights(tmp_path / name).tensors.keys() == POSITION.keys()


@pytest.mark.parametrize("entry", ["model", "state_dict", "model_state_dict"])
def test_the_state_dict_in_a_training_checkpoint_is_found(
    tmp_path: Path, entry: str
) -> None:
    optimizer = torch.optim.AdamW([torch.zeros(2)]).state_dict()
    path = saved(tmp_path / "last.ckpt", {"epoch": 3, entry: POSITION, "o": optimizer})

    assert read_weights(path).tensors.keys() == POSITION.keys()


def test_a_wrapped_models_names_are_read(tmp_path: Path) -> None:
    wrapped = {f"module.{name}": tensor for name, tensor in POSITION.items()}

    weights = read_weights(saved(tmp_path / "wrapped.pt", wrapped))

    assert weights.tensors.keys() == POSITION.keys()


def test_a_command_in_a_file_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    path = saved(tmp_path / "bad.pt", {"weight": RunsCommand(f"touch {mark}")})

    with pytest.raises(ValueError, match=r"bad\.pt asks for \w+\.system .* could run code"):
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


@pytest.mark.parametrize(
    ("shape", "offsets"), [([1000], [0, 4000]), ([1000], [0, 4]), ([1], [0, 2**60])]
)
def test_a_safetensors_header_that_lies_about_sizes_is_refused(
    tmp_path: Path, shape: list[int], offsets: list[int]
) -> None:
    entry = {"dtype": "F32", "shape": shape, "data_offsets": offsets}
    header = json.dumps({"image_encoder.pos_embed": entry}).encode()
    path = tmp_path / "liar.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))

    with pytest.raises(ValueError, match=r"liar\.safetensors is no complete safetensors"):
        read_weights(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), flipped=st.integers(1, 255))
@pytest.mark.parametrize("name", ["sam.pt", "sam.safetensors"])
def test_a_damaged_byte_gives_tensors_or_one_kind_of_error(
    tmp_path: Path, name: str, place: float, flipped: int
) -> None:
    path = tmp_path / name
    if name == "sam.pt":
        torch.save(POSITION, path)
    else:
        save_file(POSITION, path)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= flipped
    path.write_bytes(content)

    try:
        weights = read_weights(path)
    except ValueError as error:
        assert name in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert all(isinstance(tensor, Tensor) for tensor in weights.tensors.values())


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([torch.zeros(2)], "list"),
        ({}, "dict of nothing"),
        ({"epoch": 3, "model": {"lr": 0.1}}, "dict of epoch, model"),
    ],
)
def test_what_is_no_state_dict_is_refused(
    tmp_path: Path, content: object, found: str
) -> None:
    path = saved(tmp_path / "other.pt", content)

    with pytest.raises(ValueError, match=rf"holds {found}, not a state dict.*Save"):
        read_weights(path)


@pytest.mark.parametrize(
    ("tensor", "network"),
    [
        ("layer1.0.conv1.weight", "a ResNet"),
        ("blocks.0.attn.qkv.weight", "a vision transformer"),
        ("vit.encoder.layer.0.attention.attention.query.weight", "a vision transformer"),
        ("image_encoder.trunk.pos_embed", "SAM 2"),
        ("memory_attention.layers.0.norm1.weight", "SAM 2"),
        ("image_encoder.patch_embed.seq.0.c.weight", "MobileSAM"),
        ("stem.0.weight", "a starter network without its header"),
        ("something.weight", "tensors such as something.weight"),
    ],
)
def test_another_network_is_named(tmp_path: Path, tensor: str, network: str) -> None:
    path = saved(tmp_path / "other.pt", {tensor: torch.zeros(2)})

    with pytest.raises(ValueError, match=rf"other\.pt holds {network}, not SAM"):
        read_weights(path)


@pytest.mark.parametrize(
    "extra", ["mask_decoder.hf_token.weight", "image_encoder.blocks.0.Adapter.D_fc1.bias"]
)
def test_a_sam_with_more_in_it_is_named(
    tmp_path: Path, extra: str, tiny_sam: dict[str, Tensor]
) -> None:
    path = saved(tmp_path / "more.pt", tiny_sam | {extra: torch.zeros(2)})

    with pytest.raises(ValueError, match=r"more\.pt holds (HQ-SAM|a SAM with adapters)"):
        read_weights(path)


def test_missing_and_unexpected_tensors_are_named_with_their_file(
    tmp_path: Path, tiny_sam: dict[str, Tensor]
) -> None:
    tensors = to_hugging_face(tiny_sam)
    tensors["odd.weight"] = tensors.pop("mask_decoder.iou_token.weight")

    with pytest.raises(ValueError, match=r"(?s)bent\.pt.*iou_token\.weight.*odd\.weight"):
        load_model(saved(tmp_path / "bent.pt", tensors))


def test_a_sam_of_another_shape_is_refused_with_its_file(
    tmp_path: Path, tiny_sam: dict[str, Tensor]
) -> None:
    tensors = tiny_sam | {"image_encoder.pos_embed": torch.zeros(1, 4, 4, 48)}

    with pytest.raises(ValueError, match=r"bent\.pt: "):
        load_model(saved(tmp_path / "bent.pt", tensors))


def test_a_header_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "future.safetensors"
    save_file(POSITION, path, metadata={HEADER_KEY: '{"channels": [4]}'})

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
