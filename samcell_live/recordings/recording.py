"""What every recorded run looks like to the replay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from samcell_live.records import Frame, FrameKey
from samcell_live.store.plan import RunPlan


class Recording(Protocol):
    """A run that was acquired before. Opening it has checked all that headers tell."""

    @property
    def plan(self) -> RunPlan:
        """Plan of the run that its replay will be; its source is ``replay``."""

    @property
    def keys(self) -> Sequence[FrameKey]:
        """Frames that the recording has, in the order of `frames`."""

    def frames(self) -> Iterator[Frame]:
        """Read the frames one by one, in slot order.

        Raises
        ------
        ValueError
            If the pixels of a frame cannot be read.
        """
