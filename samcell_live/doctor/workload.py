"""When frames come at the earliest, and when whoever takes them is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from useq import MDAEvent

from samcell_live.records import FrameKey
from samcell_live.store.plan import RunPlan

FloatArray = npt.NDArray[np.float64]

RESULT_BYTES_PER_PX = 0.07
"""Masks and tables of a frame, measured on full plates: 4 GB beside 59 gigapixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """What a planned run asks of microscope, disk and worker."""

    arrival_s: FloatArray
    """(n_frames,) when each frame is there if nothing but exposures takes time."""
    is_segmented: npt.NDArray[np.bool_]
    """(n_frames,) whether cells are looked for in it."""
    planned_end_s: float
    """Planned start of the last frame."""
    interval_s: float
    """Shortest planned time between two scans; NaN if there is one scan."""
    frame_bytes: int
    """Uncompressed."""
    result_bytes: float
    """Mask and tables of a frame in which cells are looked for."""

    @property
    def total_bytes(self) -> float:
        """Room that the run takes at most."""
        results = float(np.count_nonzero(self.is_segmented)) * self.result_bytes
        return len(self.arrival_s) * self.frame_bytes + results

    @property
    def end_s(self) -> float:
        """When the last frame is there at the earliest."""
        return float(self.arrival_s[-1])


def plan_workload(
    events: Sequence[MDAEvent], plan: RunPlan, *, exposure_ms: float = 0.0
) -> Workload:
    """Work out what a run asks for.

    Parameters
    ----------
    events : sequence of useq.MDAEvent
        Those that acquire, in their order; at least one. Each exposes all cameras.
    plan : RunPlan
        The run.
    exposure_ms : float
        Of the events that say none.
    """
    now_s = origin_s = 0.0
    arrival_s: list[float] = []
    scans_s: dict[float, dict[int, float]] = {}  # planned starts, by origin and timepoint
    for event in events:
        if event.reset_event_timer:
            origin_s = now_s
        start_s = origin_s + (event.min_start_time or 0.0)
        scans_s.setdefault(origin_s, {}).setdefault(event.index.get("t", 0), start_s)
        now_s = max(now_s, start_s) + (event.exposure or exposure_ms) / 1e3
        arrival_s += [now_s] * plan.shape.cam
    gaps_s = [float(gap) for one in scans_s.values() for gap in np.diff([*one.values()])]
    keys = [
        FrameKey.from_index(event.index)._replace(cam=cam)
        for event in events
        for cam in range(plan.shape.cam)
    ]
    n_px = plan.height_px * plan.width_px
    return Workload(
        arrival_s=np.array(arrival_s),
        is_segmented=np.array([plan.is_segmented(key) for key in keys]),
        planned_end_s=start_s,
        interval_s=min(gaps_s, default=float("nan")),
        frame_bytes=n_px * np.dtype(plan.dtype).itemsize,
        result_bytes=n_px * RESULT_BYTES_PER_PX,
    )


def done_s(ready_s: FloatArray, seconds_each: float) -> FloatArray:
    """Give the times at which work is done, one piece after another.

    Parameters
    ----------
    ready_s : (n,) float64
        When each piece can begin at the earliest, rising.
    seconds_each : float
        Time that a piece takes.

    Examples
    --------
    >>> done_s(np.array([0.0, 1.0, 10.0]), 4.0).tolist()
    [4.0, 8.0, 14.0]
    """
    place = np.arange(len(ready_s))
    latest_start = np.maximum.accumulate(ready_s - place * seconds_each)
    return np.asarray(latest_start + (place + 1) * seconds_each)


def most_waiting(ready_s: FloatArray, finished_s: FloatArray) -> int:
    """Most pieces that were ready and not done at any time."""
    done = np.searchsorted(finished_s, ready_s, side="right")
    return int(np.max(np.arange(1, len(ready_s) + 1) - done, initial=0))
