"""What every recorded run looks like to the replay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from samcell_live.records import Frame, FrameKey
from samcell_live.store.plan import RunPlan


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that a recording names and whose pixels cannot be read."""

    key: FrameKey
    reason: str
    """For the user; names the file."""


class Recording(Protocol):
    """A run that was acquired before. Opening it has checked all that headers tell."""

    @property
    def plan(self) -> RunPlan:
        """Plan of the run that its replay will be; its source is ``replay``."""

    @property
    def keys(self) -> Sequence[FrameKey]:
        """Frames that the recording has, in the order of `frames`."""

    def frames(self) -> Iterator[Frame | Unreadable]:
        """Read the frames one by one, in slot order; a damaged one stops no other."""
