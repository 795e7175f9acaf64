"""Files of weights: what they hold, read without running anything in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save, save_file
from torch import Tensor

from samcell_live.segmentation.conversion import unwrap
from samcell_live.segmentation.recognition import refuse_other_networks
from samcell_live.segmentation.weights.checksum import file_sha256

HEADER_KEY = "samcell_live"
"""Our entry in a safetensors header."""

_STATE_DICT_ENTRIES = ("model", "state_dict", "model_state_dict", "model_state")
"""Under these names training tools keep the state dict beside their own things."""


class Teacher(BaseModel, frozen=True, extra="forbid"):
    """The model whose distance maps a starter network was trained on."""

    name: str
    sha256: str = Field(description="Of its weights file.")
    terms: str = Field(description="Of its weights, and so of what learnt from them.")


class StarterHeader(BaseModel, frozen=True, extra="forbid"):
    """How a starter network was made and how it is to be used; kept with its weights."""

    channels: tuple[int, ...]
    peak_threshold: float = Field(ge=0, le=1)
    fill_threshold: float = Field(ge=0, le=1)
    prominence: float = Field(
        0, ge=0, le=1, description="Of the peaks that seed cells; 0: regions seed them."
    )
    cell_diameter_px: float = Field(
        gt=0, description="Typical diameter of the cells that it was trained on."
    )
    package: str
    trained_on: tuple[str, ...]
    steps: int
    settings: dict[str, Any]
    teacher: Teacher | None = Field(None, description="Unset where it learnt from masks.")


class FineTuning(BaseModel, frozen=True, extra="forbid"):
    """How weights of SAMCell's network were fine-tuned, and how they are to be used."""

    peak_threshold: float = Field(ge=0, le=1)
    fill_threshold: float = Field(ge=0, le=1)
    cell_diameter_px: float = Field(
        gt=0, description="Median diameter of the cells that it was trained on."
    )
    patch_px: int | None = Field(
        None, description="Side of the tiles that it was trained on; unset: 256."
    )
    trained_on: tuple[str, ...]
    n_images: int
    steps: int
    validation_loss: float = Field(description="Mean squared error of the distance map.")
    settings: dict[str, Any]


class SamcellHeader(BaseModel, frozen=True, extra="forbid"):
    """Where weights of SAMCell's network come from; kept with them."""

    kind: Literal["samcell"] = "samcell"
    name: str
    architecture: str = Field(description="vit_b, vit_l, vit_h, or the size of another.")
    package: str = Field(description="What wrote the file.")
    source: str = Field(description="Name of the file that it was made from.")
    source_sha256: str
    terms: str
    fine_tuning: FineTuning | None = Field(
        None, description="Unset where the source's numbers are as they were."
    )


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What a weights file holds."""

    tensors: dict[str, Tensor]
    sha256: str
    starter: StarterHeader | None = None
    """None if this is not a starter network."""
    samcell: SamcellHeader | None = None
    """None if this is a starter network, or not our own file."""


def read_weights(path: Path) -> Weights:
    """Read a weights file: safetensors, or a state dict saved by torch.

    A state dict may lie inside a training checkpoint, and have the names that
    DataParallel, torch.compile or Lightning give: both are taken off.

    Raises
    ------
    ValueError
        If the file is damaged, wants to run code, or holds something else.
    FileNotFoundError
        If there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no weights file at {path}.")
    sha256 = file_sha256(path)
    if not is_safetensors(path):
        tensors, header = _read_state_dict(path), None
    else:
        tensors, header = _read_safetensors(path)
    if isinstance(header, StarterHeader):
        return Weights(tensors, sha256, starter=header)
    tensors = unwrap(tensors)
    refuse_other_networks(path, tensors)
    return Weights(tensors, sha256, samcell=header)


def is_safetensors(path: Path) -> bool:
    """Whether a file is safetensors, by its name or, whatever its name, its beginning."""
    with path.open("rb") as file:
        return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"


def write_starter(path: Path, tensors: Mapping[str, Tensor], header: StarterHeader) -> None:
    """Write a starter network: convolutions in half precision, the rest as it is."""
    compact = {
        name: (tensor.half() if tensor.ndim == 4 else tensor).contiguous()
        for name, tensor in tensors.items()
    }
    path.write_bytes(save(compact, metadata={HEADER_KEY: header.model_dump_json()}))


def write_samcell(path: Path, tensors: Mapping[str, Tensor], header: SamcellHeader) -> None:
    """Write SAMCell's network in SAM's names, its numbers as they are.

    A file that is there is replaced only when the new one is complete.
    """
    # Copies, because safetensors refuses tensors that share their memory.
    own = {
        name: tensor.clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    unfinished = path.with_name(f"{path.name}.partial")
    save_file(own, unfinished, metadata={HEADER_KEY: header.model_dump_json()})
    unfinished.replace(path)


def _read_safetensors(
    path: Path,
) -> tuple[dict[str, Tensor], StarterHeader | SamcellHeader | None]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            header = (file.metadata() or {}).get(HEADER_KEY)
    except SafetensorError as error:
        raise ValueError(
            f"{path} is no complete safetensors file ({error}). Fetch it again."
        ) from error
    if header is None:
        return tensors, None
    try:
        return tensors, _header(header)
    except ValueError as error:
        raise ValueError(
            f"{path} has a header that this version cannot read: {error}"
        ) from error


def _header(text: str) -> StarterHeader | SamcellHeader:
    content = json.loads(text)
    kind = SamcellHeader if "kind" in content else StarterHeader
    return kind.model_validate(content)


def _read_state_dict(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can raise anything
        if wanted := re.search(r"GLOBAL ([\w.]+)", str(error)):
            raise ValueError(
                f"{path} asks for {wanted[1]} when it is read, which could run code, so it "
                "is not read. Save model.state_dict() alone, or give safetensors."
            ) from error
        raise ValueError(
            f"{path} is damaged, or was not saved by torch ({_first_line(error)}). "
            "Fetch it again."
        ) from error
    tensors = _state_dict_inside(content)
    if tensors is None:
        raise ValueError(
            f"{path} holds {_describe(content)}, not a state dict: tensors by name. "
            "Save model.state_dict() alone."
        )
    return tensors


def _state_dict_inside(content: object) -> dict[str, Tensor] | None:
    """Find the tensors by name, at the top or one level down; None if there are none."""
    if not isinstance(content, Mapping):
        return None
    inner = [content[name] for name in _STATE_DICT_ENTRIES if name in content]
    for found in (content, *inner):
        if isinstance(found, Mapping) and found and _all_tensors(found):
            return dict(found)
    return None


def _all_tensors(entries: Mapping[object, object]) -> bool:
    return all(isinstance(n, str) and isinstance(t, Tensor) for n, t in entries.items())


def _describe(content: object) -> str:
    if not isinstance(content, Mapping):
        return type(content).__name__
    first = ", ".join(str(name) for name in list(content)[:5])
    return f"{type(content).__name__} of {first or 'nothing'}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
