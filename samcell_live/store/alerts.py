"""What somebody should be told of a run: from its store alone, at any moment, by anybody.

The command line prints alerts, the page shows them, and a rule may ask for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from samcell_live.store.plan import RunPlan
from samcell_live.store.processes import (
    ACQUISITION,
    Health,
    ProcessState,
    analysis_role,
    number,
)
from samcell_live.store.reader import RunReader

Kind: TypeAlias = Literal[
    "acquisition",
    "stalled",
    "paused",
    "missing",
    "lost",
    "astray",
    "slow disk",
    "analysis",
]

PATIENCE_S = 5.0
"""Shorter silences are no alert, however short the interval is."""
PATIENCE_WITHOUT_INTERVAL_S = 60.0
"""Silence that is an alert in a run of one scan, or of unknown times."""

ASTRAY_FIELDS = 0.1
"""A frame is of another place if the stage is further off than this part of the picture."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that is wrong, and what to do about it."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """All that alerts are derived from."""

    plan: RunPlan
    acquired: npt.NDArray[np.bool_]
    """(n_slots,) frames on disk."""
    rank: npt.NDArray[np.int32]
    """(n_slots,) place of each frame in the acquisition, -1 where none is expected."""
    stage_um: npt.NDArray[np.float64]
    """(n_slots, 2) where the stage was, x and y; NaN where that is not known."""
    n_waiting: int
    """Frames without a result."""
    acquisition: ProcessState | None
    worker: ProcessState | None


def alerts(reader: RunReader, now_s: float, analysis: str | None = None) -> list[Alert]:
    """Judge a run as it is on disk now.

    Parameters
    ----------
    reader : RunReader
        The run.
    now_s : float
        Seconds since 1970, UTC.
    analysis : str, optional
        By default the run's own.
    """
    name = analysis or reader.plan.analysis.name
    acquisition = reader.process(ACQUISITION)
    worker = reader.process(analysis_role(name))
    n_waiting = len(reader.waiting(name))
    acquired = reader.acquired()
    n_slots = len(acquired)  # a run of unknown length may grow in between
    condition = Condition(
        plan=reader.plan,
        acquired=acquired,
        rank=reader.rank()[:n_slots],
        stage_um=reader.stage_um()[:n_slots],
        n_waiting=n_waiting,
        acquisition=acquisition,
        worker=worker,
    )
    return judge(condition, now_s)


def judge(condition: Condition, now_s: float) -> list[Alert]:
    """Say what is wrong, the worst first; nothing while all is well."""
    return [
        Alert(kind, text)
        for kind, text in (
            *_of_the_acquisition(condition, now_s),
            *_of_frames(condition, now_s),
            *_of_the_analysis(condition, now_s),
        )
    ]


def silence_s(health: Health, now_s: float) -> float:
    """For how long no frame has come though one was due; 0 or less where none is known to.

    Parameters
    ----------
    health : mapping
        What the acquisition said of itself last.
    now_s : float
        Seconds since 1970, UTC.
    """
    last_s = max(number(health, "last_frame_s"), number(health, "next_due_s"))
    return now_s - last_s if last_s and not health.get("paused") else 0.0


def patience_s(plan: RunPlan) -> float:
    """Longest silence that is no alert: half an interval, so that it comes within one."""
    if plan.interval_s is None:
        return PATIENCE_WITHOUT_INTERVAL_S
    return max(PATIENCE_S, plan.interval_s / plan.time_scale / 2)


def _of_the_acquisition(condition: Condition, now_s: float) -> Iterator[tuple[Kind, str]]:
    recorder = condition.acquisition
    if recorder is None:
        return
    if recorder.state == "failed":
        yield "acquisition", f"The acquisition failed: {recorder.message}."
    elif recorder.is_stale(now_s):
        yield (
            "acquisition",
            f"The acquisition on {recorder.host} died. Go on with it there: "
            "samcell-live run --resume STORE",
        )
    elif recorder.is_alive(now_s):
        if paused := recorder.health.get("paused"):
            yield "paused", f"The acquisition is paused: {paused}."
        silent_s = silence_s(recorder.health, now_s)
        if silent_s > patience_s(condition.plan):
            place = recorder.health.get("at_work_in")
            yield (
                "stalled",
                f"No frame for {silent_s:.0f} s, though one was due"
                + (f"; the acquisition is at {place}." if place else "."),
            )


def _of_frames(condition: Condition, now_s: float) -> Iterator[tuple[Kind, str]]:
    recorder = condition.acquisition
    health: Health = recorder.health if recorder else {}
    if lost := number(health, "lost"):
        reason = health.get("last_error", "")
        yield "lost", f"{lost:.0f} frames could not be written: {reason}"
    if slowed := number(health, "written_in_place"):
        yield (
            "slow disk",
            f"The disk is too slow: the camera waited for {slowed:.0f} frames.",
        )
    passed_over = _n_passed_over(condition)
    if passed_over and not number(health, "waiting_mb"):
        yield (
            "missing",
            f"{passed_over} frames were due and did not come: look at the camera and at "
            "the log of the acquisition.",
        )
    off_um = _off_um(condition)
    if off_um.size:
        yield (
            "astray",
            f"{off_um.size} frames were taken elsewhere, the stage up to "
            f"{off_um.max():.0f} um from where it was sent: look at the stage.",
        )


def _off_um(condition: Condition) -> npt.NDArray[np.float64]:
    """How far the stage was off, for each frame of another place than the planned one.

    pymmcore-plus only warns of a stage that does not move, and the camera goes on.
    """
    plan = condition.plan
    n_p, n_g = plan.shape.p, plan.shape.g
    sent_um = np.full((n_p, n_g, 1, 2), np.nan)
    for view in plan.views:
        sent_um[view.p, view.g] = view.x_um, view.y_um
    n_t = len(condition.stage_um) // plan.slots_per_timepoint
    apart_um = condition.stage_um.reshape(n_t, n_p, n_g, -1, 2) - sent_um
    off_um: npt.NDArray[np.float64] = np.hypot(apart_um[..., 0], apart_um[..., 1])
    side_um = min(plan.height_px, plan.width_px) * (plan.pixel_size_um or np.nan)
    return off_um[off_um > ASTRAY_FIELDS * side_um]  # NaN, unknown, is not


def _n_passed_over(condition: Condition) -> int:
    """Count frames that are not on disk though a later one is."""
    rank, acquired = condition.rank, condition.acquired
    last = rank[acquired].max(initial=-1)
    return int(np.count_nonzero((rank >= 0) & (rank < last) & ~acquired))


def _of_the_analysis(condition: Condition, now_s: float) -> Iterator[tuple[Kind, str]]:
    recorder, worker = condition.acquisition, condition.worker
    health: Health = recorder.health if recorder else {}
    reason = health.get("worker_error") or ""
    if deaths := number(health, "worker_restarts"):
        yield "analysis", f"The analysis died {deaths:.0f} times: {reason}"
    if not condition.n_waiting or (worker and worker.is_alive(now_s)):
        return
    if health.get("worker") == "ended" or (worker is not None and worker.is_stale(now_s)):
        yield (
            "analysis",
            f"No analysis is running, and {condition.n_waiting} frames wait. Start it: "
            f"samcell-live analyse STORE. {reason}".rstrip(),
        )
