"""What the rules of a run did, and why: kept in the run by its acquisition."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from samcell_live.store import layout
from samcell_live.store.arrays import read_attributes, write_group


@dataclass(frozen=True, slots=True)
class Firing:
    """One rule that did something, or could not."""

    time_s: float
    """Seconds since 1970, UTC."""
    rule: str
    action: str
    group: str
    """Whose culture had come so far."""
    t: int
    """Timepoint that made the rule fire."""
    values: tuple[float, ...]
    """What was measured in the scans that made it fire, the newest last."""
    error: str = ""
    """Why nothing was done; empty if it was."""

    @classmethod
    def from_attributes(cls, attributes: dict[str, Any]) -> Self:
        """Read it back."""
        return cls(**{**attributes, "values": tuple(attributes["values"])})

    def __str__(self) -> str:
        """Say it in a line."""
        measured = ", ".join(f"{value:.3g}" for value in self.values)
        why = f" ({self.group} at timepoint {self.t}: {measured})" if measured else ""
        what = f"{self.action} failed, {self.error}" if self.error else self.action
        return f"Rule {self.rule!r}{why}: {what}"


def write_firings(path: Path, firings: list[Firing]) -> None:
    """Replace what is written of the rules of a run, durably and in one step.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    write_group(path / layout.FIRINGS, {"firings": [asdict(one) for one in firings]})


def read_firings(path: Path) -> list[Firing]:
    """Read what the rules of a run did so far, in their order."""
    try:
        attributes = read_attributes(path / layout.FIRINGS)
    except FileNotFoundError:
        return []
    return [Firing.from_attributes(one) for one in attributes["firings"]]
