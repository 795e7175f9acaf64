"""Writing raw frames: the acquisition's side of the store."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from samcell_live.records import Frame, FrameRow
from samcell_live.store import layout
from samcell_live.store.arrays import Array, open_array, wait
from samcell_live.store.plan import RunPlan


class FrameWriter:
    """Writes frames durably, each into its own slot.

    The only writer of the raw arrays and of ``samcell/frames``. A frame is marked
    acquired after its pixels and its row are on disk, so a reader that looks at the
    mark first never sees half a frame. Safe to call from several threads.
    """

    def __init__(self, path: Path, plan: RunPlan) -> None:
        self.plan = plan
        self._raw = {
            view.path: open_array(path / layout.raw(view.path)) for view in plan.views
        }
        self._columns: dict[str, Array] = {}
        self._path = path
        self._acquired = open_array(path / layout.frame_column("acquired"))
        self._one_row_at_a_time = threading.Lock()

    def write(self, *frames: Frame) -> None:
        """Write frames and wait until they are safe. Writing one again is harmless.

        Several together cost less than one by one: their pixels go to the disk side by
        side, and each column is rewritten once.

        Raises
        ------
        ValueError
            If a frame does not fit this run; then none is written.
        OSError
            If one cannot be written; then none is marked acquired.
        """
        for frame in frames:
            self._refuse_misfit(frame)
        slots = [self.plan.shape.slot(frame.key) for frame in frames]
        pixels = [self._write_pixels(frame) for frame in frames]
        with self._one_row_at_a_time:
            columns = zip(*[frame.row for frame in frames], strict=True)
            rows = zip(FrameRow._fields, map(np.array, columns), strict=True)
            wait(*[self._column(name)[slots].write(values) for name, values in rows])
        wait(*pixels)
        with self._one_row_at_a_time:
            wait(self._acquired[slots].write(np.ones(len(slots), np.uint8)))

    def _write_pixels(self, frame: Frame) -> Any:
        """Begin to write the pixels; what is returned is to be waited for."""
        raw = self._raw[self.plan.view(frame.key).path]
        return raw[self.plan.raw_index(frame.key)].write(frame.pixels)

    def _column(self, name: str) -> Array:
        if name not in self._columns:
            self._columns[name] = open_array(self._path / layout.frame_column(name))
        return self._columns[name]

    def _refuse_misfit(self, frame: Frame) -> None:
        wanted = (self.plan.height_px, self.plan.width_px)
        if frame.pixels.shape != wanted or frame.pixels.dtype != self.plan.dtype:
            raise ValueError(
                f"{frame.key} came as {frame.pixels.dtype} of shape {frame.pixels.shape}, "
                f"but this run holds {self.plan.dtype} of shape {wanted}. Keep the camera's"
                " region, binning and bit depth as they were when the run began."
            )
