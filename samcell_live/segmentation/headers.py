"""What a weights file says of itself, read without torch and without its tensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field
from safetensors import SafetensorError, safe_open

HEADER_KEY = "samcell_live"
"""Our entry in a safetensors header."""


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


@dataclass(frozen=True, slots=True)
class Contents:
    """Table of contents of a safetensors file."""

    names: tuple[str, ...]
    """Of its tensors."""
    header: StarterHeader | SamcellHeader | None
    """None if it is not our own file."""


def is_safetensors(path: Path) -> bool:
    """Whether a file is safetensors, by its name or, whatever its name, its beginning."""
    with path.open("rb") as file:
        return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"


def read_contents(path: Path) -> Contents:
    """Read what a safetensors file holds.

    Raises
    ------
    ValueError
        If the file is damaged, or has a header of ours that cannot be read.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            names = tuple(file.keys())
            text = (file.metadata() or {}).get(HEADER_KEY)
    except SafetensorError as error:
        raise ValueError(
            f"{path} is no complete safetensors file ({error}). Fetch it again."
        ) from error
    if text is None:
        return Contents(names, None)
    try:
        return Contents(names, _header(text))
    except ValueError as error:
        raise ValueError(
            f"{path} has a header that this version cannot read: {error}"
        ) from error


def _header(text: str) -> StarterHeader | SamcellHeader:
    content = json.loads(text)
    kind = SamcellHeader if "kind" in content else StarterHeader
    return kind.model_validate(content)
