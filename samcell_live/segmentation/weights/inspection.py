"""What a weights file is: its format, its network, its making."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samcell_live.segmentation.conversion import is_hugging_face
from samcell_live.segmentation.formats import Weights, read_weights
from samcell_live.segmentation.headers import is_safetensors
from samcell_live.segmentation.models import load_model
from samcell_live.segmentation.weights.registry import PUBLISHED


@dataclass(frozen=True, slots=True)
class WeightsDescription:
    """What `samcell-live models info` says of a weights file."""

    path: Path
    size_bytes: int
    sha256: str
    container: str
    """``safetensors`` or ``torch``."""
    naming: str
    """Whose names the tensors have."""
    network: str
    """``starter``, ``samcell-vit_b`` and the like."""
    n_tensors: int
    n_numbers: int
    """Weights and biases, and what else the tensors hold."""
    dtypes: tuple[str, ...]
    """Number formats, the commonest first."""
    segments: bool
    """False for SAM as Meta trained it: its masks are no distance maps."""
    peak_threshold: float
    fill_threshold: float
    cell_diameter_px: float
    making: dict[str, Any]
    """The header that our own files have; empty for others."""


def describe_weights(path: Path) -> WeightsDescription:
    """Read a weights file, build its network and say what it is.

    Raises
    ------
    ValueError
        If the file is damaged or its tensors make neither network.
    FileNotFoundError
        If there is no such file.
    """
    weights, model = read_weights(path), load_model(path)
    tensors = list(weights.tensors.values())
    dtypes = Counter(str(tensor.dtype).removeprefix("torch.") for tensor in tensors)
    header = weights.starter or weights.samcell
    trains_only = {it.sha256 for it in PUBLISHED.values() if it.only_for_training}
    return WeightsDescription(
        path=path,
        size_bytes=path.stat().st_size,
        sha256=weights.sha256,
        container="safetensors" if is_safetensors(path) else "torch",
        naming=_naming(weights),
        network=model.name,
        n_tensors=len(tensors),
        n_numbers=sum(tensor.numel() for tensor in tensors),
        dtypes=tuple(dtype for dtype, _ in dtypes.most_common()),
        segments=weights.sha256 not in trains_only,
        peak_threshold=model.peak_threshold,
        fill_threshold=model.fill_threshold,
        cell_diameter_px=model.cell_diameter_px,
        making={} if header is None else header.model_dump(mode="json"),
    )


def _naming(weights: Weights) -> str:
    if weights.starter is not None:
        return "starter"
    return "Hugging Face SamModel" if is_hugging_face(weights.tensors) else "SAM"
