"""A run store as a recording: what was acquired, to be analysed anew."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from samcell_live.recordings.recording import Unreadable
from samcell_live.records import NAN, Frame, FrameKey
from samcell_live.store import layout
from samcell_live.store.reader import RunReader


def is_run_store(path: Path) -> bool:
    """Whether this folder is a run store of ours."""
    return (path / layout.SAMCELL / "zarr.json").is_file()


class StoreRecording:
    """The frames of a run that are on disk now, with their times and stage places.

    Parameters
    ----------
    path : Path
        The run store.
    pixel_size_um : float, optional
        Above 0. Goes before the pixel size of the run, for one that was not calibrated.

    Raises
    ------
    ValueError
        If there is no run store at `path`, or it has no frame yet.
    """

    def __init__(self, path: Path, *, pixel_size_um: float | None = None) -> None:
        self._reader = RunReader(path)
        recorded = self._reader.plan
        self.plan = recorded.model_copy(
            update={
                "source": "replay",
                "is_open": False,
                "raw": "keep",
                "uid": str(uuid.uuid4()),
                "created": datetime.now(UTC),
                "pixel_size_um": pixel_size_um or recorded.pixel_size_um,
            }
        )
        slots = np.flatnonzero(self._reader.acquired())
        if slots.size == 0:
            raise ValueError(
                f"{path} has no frame yet. Replay a run once its acquisition has begun."
            )
        self._keys = [self.plan.shape.key(int(slot)) for slot in slots]

    @property
    def keys(self) -> Sequence[FrameKey]:
        """Frames that were acquired when the recording was opened, in slot order."""
        return self._keys

    def frames(self) -> Iterator[Frame | Unreadable]:
        """Read the frames one by one; one that is damaged on disk stops no other."""
        return map(self._frame, self._keys)

    def _frame(self, key: FrameKey) -> Frame | Unreadable:
        try:
            frame = self._reader.frame(key)
        except (OSError, ValueError) as error:
            return Unreadable(key, f"{key} of {self._reader.path}: {error}")
        return replace(frame, pixel_size_um=self.plan.pixel_size_um or NAN)
