"""Checksums of weights: published, or recorded at first use and checked ever after."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Fingerprint of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded_sha256(path: Path) -> str | None:
    """Checksum that was recorded beside a file; None if there is none."""
    record = _record(path)
    return record.read_text(encoding="utf-8").split()[0] if record.is_file() else None


def record_sha256(path: Path, sha256: str) -> None:
    """Record a checksum beside its file, in the form that ``sha256sum --check`` reads."""
    _record(path).write_text(f"{sha256}  {path.name}\n", encoding="utf-8")


def check_sha256(path: Path, pinned: str | None = None) -> str:
    """Give a file's checksum, once it is known to be right.

    Parameters
    ----------
    path : Path
    pinned : str, optional
        The published checksum. Without one the file's own is recorded at first use, and
        later compared.

    Raises
    ------
    ValueError
        If the file is not what was published, or what it was at first.
    """
    found = file_sha256(path)
    expected = pinned or recorded_sha256(path)
    if expected is None:
        record_sha256(path, found)
    elif found != expected:
        raise ValueError(
            f"{path} has changed, or is damaged: its SHA-256 is {found[:12]}..., and "
            f"{expected[:12]}... was {'published' if pinned else 'recorded at first use'}. "
            "Delete it, and fetch or import it again."
        )
    return found


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
