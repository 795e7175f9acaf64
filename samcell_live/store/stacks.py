"""Which plane of a z-stack carries its cells, and what each frame waits for.

A *stack* is all planes of one channel and camera at one place and timepoint; without a
z axis it is one frame. Its cells are found once, in the segmented channel, and lie in the
slot of one plane, the *carrier*. The carriers of the other channels and cameras carry the
same cells, measured there. All other frames are only judged as pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from samcell_live.records import FrameKey
from samcell_live.store.plan import RunPlan

PASSED_BY_T = 2
"""A frame that may be awaited for ever, in a run of unknown length, is awaited until its
place has been seen so many timepoints later."""

Marks = npt.NDArray[np.bool_]


class Task(Enum):
    """What is to be done with a frame."""

    FIND_CELLS = "find cells"
    MEASURE_CELLS = "measure cells"
    """Cells that were found in another channel."""
    JUDGE_PICTURE = "judge picture"


@dataclass(frozen=True, slots=True, eq=False)
class Stacks:
    """All frames of a run as they stand on disk.

    Arrays are laid out by the axes (t, p, g, c, z, cam).
    """

    plan: RunPlan
    expected: Marks
    acquired: Marks
    awaited: Marks
    """Expected, not there, and perhaps still to come."""
    done: Marks
    """Has its result, or the reason why it has none."""
    has_cells: Marks
    """Cells were found in it."""

    @classmethod
    def now(
        cls,
        plan: RunPlan,
        *,
        rank: npt.NDArray[np.int32],
        acquired: Marks,
        done: Marks,
        has_cells: Marks,
        may_come: bool,
    ) -> Stacks:
        """Lay out the columns of a run, (n_slots,) each.

        Parameters
        ----------
        rank : (n_slots,) int32
            Place of each frame in the acquisition, below 0 where none is expected.
        may_come : bool
            Whether the acquisition goes on.
        """
        size = plan.shape_tpgczcam
        there = acquired.reshape(size)
        expected = np.ones(size, bool) if plan.is_open else (rank >= 0).reshape(size)
        awaited = expected & ~there & may_come
        if plan.is_open:
            awaited &= ~_passed_by(there)
        return cls(
            plan=plan,
            expected=expected | there,
            acquired=there,
            awaited=awaited,
            done=done.reshape(size),
            has_cells=has_cells.reshape(size),
        )

    def carriers(self) -> npt.NDArray[np.int64]:
        """(t, p, g, c, cam) plane that carries the cells of each stack; -1: none does.

        One plane: the one that is asked for, or the nearest to it that the stack has. A
        whole stack: its last plane, or the last that came.
        """
        z = np.arange(self.plan.shape.z)[:, np.newaxis]
        if self.plan.stack == "plane":
            distance = np.abs(z - self.plan.segment_z)
            near = np.where(self.expected, distance, self.plan.shape.z)
            return np.where(self.expected.any(axis=4), near.argmin(axis=4), -1)
        last = np.where(self.acquired, z, -1).max(axis=4)
        found = self.has_cells.any(axis=4)
        return np.asarray(np.where(found, self.has_cells.argmax(axis=4), last))

    def are_done(self, slots: set[int]) -> bool:
        """Whether all these slots have their result."""
        return bool(self.done.ravel()[sorted(slots)].all())

    def ready(self) -> npt.NDArray[np.int64]:
        """Slots that can be worked on now, in slot order."""
        waiting = self.acquired & ~self.done
        if self.plan.is_plain:
            return np.flatnonzero(waiting)
        wait = np.zeros(self.acquired.shape, bool)
        is_carrier = self._is_carrier()
        if self.plan.stack != "plane":
            wait |= is_carrier & self.awaited.any(axis=4, keepdims=True)
        segmented = self._segmented(self.awaited | waiting)
        wait |= is_carrier & self._is_other_picture() & segmented
        return np.flatnonzero(waiting & ~wait)

    def task(self, key: FrameKey) -> Task:
        """Say what is to be done with a frame that is ready."""
        if not self._is_carrier()[key]:
            return Task.JUDGE_PICTURE
        if (key.c, key.cam) == (self.plan.segment_c, self.plan.segment_cam):
            return Task.FIND_CELLS
        found = self.segmented_of(key)
        if found is not None and self.has_cells[found]:
            return Task.MEASURE_CELLS
        return Task.JUDGE_PICTURE

    def segmented_of(self, key: FrameKey) -> FrameKey | None:
        """Frame with the cells of the place and time of another; None: there is none."""
        channel, cam = self.plan.segment_c, self.plan.segment_cam
        z = int(self.carriers()[key.t, key.p, key.g, channel, cam])
        return None if z < 0 else key._replace(c=channel, z=z, cam=cam)

    def planes(self, key: FrameKey) -> list[FrameKey]:
        """Planes of a frame's stack that are on disk."""
        there = self.acquired[key.t, key.p, key.g, key.c, :, key.cam]
        return [key._replace(z=int(z)) for z in np.flatnonzero(there)]

    def n_missing_planes(self, key: FrameKey) -> int:
        """Planes of a frame's stack that were expected and are not there."""
        expected = self.expected[key.t, key.p, key.g, key.c, :, key.cam]
        return int(expected.sum()) - len(self.planes(key))

    def _is_carrier(self) -> Marks:
        z = np.arange(self.plan.shape.z)[:, np.newaxis]
        return np.asarray(z == np.expand_dims(self.carriers(), 4))

    def _is_other_picture(self) -> Marks:
        """(1, 1, 1, c, 1, cam) channels and cameras in which no cells are looked for."""
        other = np.ones((1, 1, 1, self.plan.shape.c, 1, self.plan.shape.cam), bool)
        other[:, :, :, self.plan.segment_c, :, self.plan.segment_cam] = False
        return other

    def _segmented(self, marks: Marks) -> Marks:
        """(t, p, g, 1, 1, 1) whether a frame to be segmented is marked at each place.

        Of a whole stack any plane will do: as long as one is awaited or not done, the
        cells are not found.
        """
        planes = marks[:, :, :, self.plan.segment_c, :, self.plan.segment_cam]
        if self.plan.stack == "plane":
            carriers = self.carriers()[:, :, :, self.plan.segment_c, self.plan.segment_cam]
            planes = planes & (np.arange(planes.shape[3]) == carriers[..., np.newaxis])
        marked = np.asarray(planes.any(axis=3))
        return marked[..., np.newaxis, np.newaxis, np.newaxis]


def _passed_by(there: Marks) -> Marks:
    """Frames of places that were seen `PASSED_BY_T` timepoints later."""
    seen = there.any(axis=(3, 4, 5))  # (t, p, g)
    later = np.zeros_like(seen)
    later[:-PASSED_BY_T] = np.flip(np.logical_or.accumulate(np.flip(seen, 0)), 0)[
        PASSED_BY_T:
    ]
    return np.asarray(later[..., np.newaxis, np.newaxis, np.newaxis])
