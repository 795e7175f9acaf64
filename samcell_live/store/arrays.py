"""Durable zarr v3 groups and arrays.

tensorstore writes the arrays: it syncs file and folder before a write is
acknowledged, so that what is acknowledged survives a power cut. Group metadata is
a ``zarr.json`` that is replaced in one step.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import tensorstore as ts

Array: TypeAlias = Any
"""A `tensorstore.TensorStore`, which carries no types."""

Codec: TypeAlias = Literal["raw", "labels", "table", "none"]

_CODECS: Mapping[Codec, Sequence[Mapping[str, Any]]] = {
    # Measured on camera frames: 1.4 times smaller at 9 ms for 2048 x 2048.
    "raw": [
        {
            "name": "blosc",
            "configuration": {"cname": "lz4", "clevel": 5, "shuffle": "bitshuffle"},
        }
    ],
    # 33 times smaller at 7 ms; any shuffle makes label images worse.
    "labels": [{"name": "zstd", "configuration": {"level": 3}}],
    "table": [{"name": "zstd", "configuration": {"level": 1}}],
    "none": [],
}
_REPLACE_ATTEMPTS = 20


def create_array(
    path: Path,
    *,
    shape: Sequence[int],
    chunks: Sequence[int],
    dtype: str,
    dimension_names: Sequence[str],
    codec: Codec = "none",
    fill_value: float = 0,
) -> Array:
    """Make an array on disk, or open the very same one; empty chunks cost nothing."""
    nan = isinstance(fill_value, float) and np.isnan(fill_value)
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": str(path)},
        "metadata": {
            "shape": list(shape),
            "data_type": dtype,
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": list(chunks)},
            },
            "fill_value": "NaN" if nan else fill_value,
            "dimension_names": list(dimension_names),
            "codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}}
                if dtype != "uint8"
                else {"name": "bytes"},
                *_CODECS[codec],
            ],
        },
    }
    return ts.open(spec, create=True, open=True).result()


def open_array(path: Path) -> Array:
    """Open an array for reading and writing.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    if not (path / "zarr.json").is_file():
        raise FileNotFoundError(f"There is no zarr array at {path}.")
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(path)}}
    return ts.open(spec, open=True).result()


def read(array: Array) -> npt.NDArray[Any]:
    """Read all of an array, or of a slice of one, as it is on disk now."""
    return np.asarray(array.read().result())


def write_group(path: Path, attributes: Mapping[str, Any] | None = None) -> None:
    """Make a group, or replace the attributes of one, durably and in one step."""
    path.mkdir(parents=True, exist_ok=True)
    text = json.dumps(
        {"zarr_format": 3, "node_type": "group", "attributes": dict(attributes or {})},
        allow_nan=False,
    )
    replace_file(path / "zarr.json", text)


def read_attributes(path: Path) -> dict[str, Any]:
    """Read the attributes of a group.

    Raises
    ------
    FileNotFoundError
        If there is no group.
    """
    node = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
    attributes: dict[str, Any] = node.get("attributes", {})
    return attributes


def replace_file(path: Path, text: str) -> None:
    """Write a small text file so that a reader sees the old or the new, never a part."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    for attempt in range(_REPLACE_ATTEMPTS):
        try:
            partial.replace(path)
        except PermissionError:  # Windows refuses while somebody reads the old file
            if attempt == _REPLACE_ATTEMPTS - 1:
                raise
            time.sleep(0.01 * (attempt + 1))
        else:
            break
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable, where the system can (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
