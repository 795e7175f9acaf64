"""What was looked at before a run, and what is to be done about it."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Status: TypeAlias = Literal["ok", "warn", "fail", "unknown"]


class Finding(NamedTuple):
    """One thing that was looked at."""

    name: str
    status: Status
    """``fail`` prevents a run; ``warn`` is to be known; ``unknown`` was not found out."""
    found: str
    to_do: str = ""


def in_words(seconds: float) -> str:
    """Say a time in the unit that a person would choose.

    Examples
    --------
    >>> [in_words(seconds) for seconds in (0.0321, 12, 600, 7200, 259200)]
    ['32 ms', '12 s', '10 min', '2 h', '3 days']
    """
    for unit, size_s in (("days", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= 2 * size_s or (unit == "s" and seconds >= size_s):
            return f"{seconds / size_s:.3g} {unit}"
    return f"{seconds * 1e3:.0f} ms"


def in_bytes(size: float) -> str:
    """Say a size on disk.

    Examples
    --------
    >>> in_bytes(8.4e6), in_bytes(84e9)
    ('8.4 MB', '84 GB')
    """
    for unit, unit_bytes in (("TB", 1e12), ("GB", 1e9)):
        if size >= unit_bytes:
            return f"{size / unit_bytes:.3g} {unit}"
    return f"{size / 1e6:.2g} MB" if size < 1e8 else f"{size / 1e6:.0f} MB"
