"""Files of weights: what they hold, read without running anything in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save, save_file
from torch import Tensor

from samcell_live.segmentation.conversion import unwrap
from samcell_live.segmentation.headers import (
    HEADER_KEY,
    SamcellHeader,
    StarterHeader,
    is_safetensors,
    read_contents,
)
from samcell_live.segmentation.recognition import refuse_other_networks
from samcell_live.segmentation.weights.checksum import file_sha256

_STATE_DICT_ENTRIES = ("model", "state_dict", "model_state_dict", "model_state")
"""Under these names training tools keep the state dict beside their own things."""


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
    if is_safetensors(path):
        header, tensors = read_contents(path).header, load_file(path)
    else:
        header, tensors = None, _read_state_dict(path)
    if isinstance(header, StarterHeader):
        return Weights(tensors, sha256, starter=header)
    tensors = unwrap(tensors)
    refuse_other_networks(path, tensors)
    return Weights(tensors, sha256, samcell=header)


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
    unfinished.touch()
    mode = unfinished.stat().st_mode  # a new file's; safetensors' is for one user alone
    save_file(own, unfinished, metadata={HEADER_KEY: header.model_dump_json()})
    unfinished.chmod(mode)
    unfinished.replace(path)


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
