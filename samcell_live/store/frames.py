"""Writing raw frames: the acquisition's side of the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np

from samcell_live.records import Frame, FrameKey, FrameRow, Pixels
from samcell_live.store import layout, metadata
from samcell_live.store.arrays import Array, open_array, read, resized, wait
from samcell_live.store.create import (
    FRAME_MARKS,
    NOT_EXPECTED,
    add_column,
    key_columns,
)
from samcell_live.store.page_cache import RecentFiles
from samcell_live.store.plan import GROWTH_T, RunPlan


def crc32(pixels: Pixels) -> int:
    """Sum up the pixels of a frame, to tell whether they are what the camera gave."""
    buffer: Any = np.ascontiguousarray(pixels)
    return int(imagecodecs.deflate_crc32(buffer))  # zlib gives the same, 13 times slower


def frame_file(path: Path, plan: RunPlan, key: FrameKey) -> Path:
    """Where the pixels of a frame lie in the run store at `path`."""
    chunk = (*plan.raw_index(key), 0, 0)
    return (path / layout.raw(plan.view(key).path)).joinpath("c", *map(str, chunk))


class FrameWriter:
    """Writes frames durably, each into its own slot.

    The only writer of the raw arrays and of ``samcell/frames``. A frame is marked
    acquired after its pixels and its row are on disk, so a reader that looks at the
    mark first never sees half a frame. Safe to call from several threads.

    A run of unknown length grows here, `GROWTH_T` timepoints at a time, and ``acquired``
    last: whatever slot a reader finds in it is there in every other array.
    """

    def __init__(self, path: Path, plan: RunPlan) -> None:
        self.plan = plan
        self._path = path
        self._raw = {
            view.path: open_array(path / layout.raw(view.path)) for view in plan.views
        }
        self._columns: dict[str, Array] = {}
        self._one_row_at_a_time = threading.Lock()
        self._recent = RecentFiles()
        acquired = self._column("acquired")
        for name, dtype in FRAME_MARKS.items():
            add_column(path / layout.frame_column(name), acquired.shape[0], dtype)
        if plan.is_open:
            self.plan = plan.lasting(acquired.shape[0] // plan.slots_per_timepoint)
            self._n_expected = 1 + int(read(self._column("rank")).max())

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
        self.begin(*frames)()

    def begin(self, *frames: Frame) -> Callable[[], None]:
        """Begin to write frames, and return what waits until they are safe.

        Nothing is marked before that is called, so what is begun later cannot be seen
        earlier if it is called in order. Raises what `write` raises, here or there.
        """
        for frame in frames:
            self._refuse_misfit(frame)
        if not self._path.is_dir():  # writing would make a store of one frame there
            raise FileNotFoundError(f"{self._path} is there no more.")
        if self.plan.is_open:
            self._grow_to(max(frame.key.t for frame in frames))
        pixels = [self._write_pixels(frame) for frame in frames]
        slots = [self.plan.shape.slot(frame.key) for frame in frames]
        return partial(self._mark, slots, *pixels, *self._write_rows(slots, frames))

    def trim(self) -> None:
        """End a run of unknown length with the last timepoint that was acquired."""
        if self.plan.is_open:
            with self._one_row_at_a_time:
                slots = np.flatnonzero(read(self._column("acquired")))
                last = self.plan.shape.key(int(slots[-1])).t if len(slots) else 0
                self._lengthen(last + 1)

    def _mark(self, slots: Sequence[int], *before: Any) -> None:
        """Mark frames acquired when all that was begun of them is safe."""
        wait(*before)
        with self._one_row_at_a_time:
            for slot in slots if self.plan.is_open else []:
                self._expect(slot)
            wait(self._column("acquired")[slots].write(np.ones(len(slots), np.uint8)))
            for slot in slots:
                self._recent.add(
                    frame_file(self._path, self.plan, self.plan.shape.key(slot))
                )

    def _expect(self, slot: int) -> None:
        """What comes of unknown length is expected from when it is there, in its order."""
        if int(read(self._column("rank")[slot])) == NOT_EXPECTED:
            wait(self._column("rank")[slot].write(np.int32(self._n_expected)))
            self._n_expected += 1

    def _write_pixels(self, frame: Frame) -> Any:
        """Begin to write the pixels; what is returned is to be waited for."""
        raw = self._raw[self.plan.view(frame.key).path]
        return raw[self.plan.raw_index(frame.key)].write(frame.pixels)

    def _write_rows(self, slots: Sequence[int], frames: Sequence[Frame]) -> list[Any]:
        """Begin to write the rows; what is returned is to be waited for."""
        columns = zip(*[frame.row for frame in frames], strict=True)
        rows = zip(FrameRow._fields, map(np.array, columns), strict=True)
        sums = np.array([crc32(frame.pixels) for frame in frames], np.uint32)
        with self._one_row_at_a_time:
            return [
                self._column(name)[slots].write(values)
                for name, values in [*rows, ("crc32", sums)]
            ]

    def _grow_to(self, t: int) -> None:
        with self._one_row_at_a_time:
            if t >= self.plan.shape.t:
                self._lengthen((t // GROWTH_T + 1) * GROWTH_T)

    def _lengthen(self, n_timepoints: int) -> None:
        plan = self.plan.lasting(n_timepoints)
        for view, raw in self._raw.items():
            self._raw[view] = resized(raw, n_timepoints)
        keys: dict[str, Any] = dict(key_columns(plan))
        marks = [name for name in FRAME_MARKS if name != "acquired"]
        for name in (*keys, *FrameRow._fields, "rank", *marks, "acquired"):
            self._columns[name] = resized(self._column(name), plan.shape.n_slots)
            if name in keys:
                wait(self._columns[name].write(keys[name]))
        self.plan = plan
        if not plan.has_plate:
            metadata.write_ome_xml(self._path, plan)

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
