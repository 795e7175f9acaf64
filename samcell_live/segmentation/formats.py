"""Files of weights: what they hold, read without running anything in them."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from pydantic import BaseModel, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEADER_KEY = "samcell_live"
"""Our entry in a safetensors header."""


class StarterHeader(BaseModel, frozen=True, extra="forbid"):
    """How a starter network was made and how it is to be used; kept with its weights."""

    channels: tuple[int, ...]
    peak_threshold: float = Field(ge=0, le=1)
    fill_threshold: float = Field(ge=0, le=1)
    cell_diameter_px: float = Field(
        gt=0, description="Typical diameter of the cells that it was trained on."
    )
    package: str
    trained_on: tuple[str, ...]
    steps: int
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What a weights file holds."""

    tensors: dict[str, Tensor]
    sha256: str
    starter: StarterHeader | None
    """None if this is not a starter network."""


def read_weights(path: Path) -> Weights:
    """Read a weights file: ``.safetensors``, or a state dict saved by torch.

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
    if path.suffix == ".safetensors":
        tensors, header = _read_safetensors(path)
        return Weights(tensors, sha256, header)
    return Weights(_read_state_dict(path), sha256, None)


def file_sha256(path: Path) -> str:
    """Fingerprint of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_starter(path: Path, tensors: Mapping[str, Tensor], header: StarterHeader) -> None:
    """Write a starter network: convolutions in half precision, the rest as it is."""
    compact = {
        name: (tensor.half() if tensor.ndim == 4 else tensor).contiguous()
        for name, tensor in tensors.items()
    }
    path.write_bytes(save(compact, metadata={HEADER_KEY: header.model_dump_json()}))


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], StarterHeader | None]:
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
        return tensors, StarterHeader.model_validate_json(header)
    except ValidationError as error:
        raise ValueError(
            f"{path} has a header that this version cannot read: {error}"
        ) from error


def _read_state_dict(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError) as error:
        raise ValueError(
            f"{path} is damaged, or holds more than tensors, which is not read because it "
            "could run code. Fetch it again, or save its state dict alone."
        ) from error
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor)
        for name, tensor in content.items()
    ):
        raise ValueError(
            f"{path} holds {type(content).__name__}, not a state dict: tensors by name. "
            "Save model.state_dict() alone."
        )
    return content
