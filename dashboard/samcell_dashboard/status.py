"""Is the run alive? Its state in one word and one sentence, and how far behind it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from samcell_dashboard.snapshot import Snapshot
from samcell_dashboard.wording import amount, duration
from samcell_live.records import NAN

State: TypeAlias = Literal["waiting", "running", "behind", "finished", "failed"]

ICONS: dict[State, str] = {
    "waiting": "◌",
    "running": "●",
    "behind": "▲",
    "finished": "✓",
    "failed": "✕",
}
BEHIND_AT_LEAST = 3
"""Fewer waiting frames than this are on their way, not behind."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the analysis is behind the microscope."""

    frames: int
    oldest_s: float
    """Age of the oldest frame without a result; NaN if none waits or none is dated."""
    catch_up_s: float
    """When nothing will wait at the present pace; infinite: never, NaN: not known."""


@dataclass(frozen=True, slots=True)
class Status:
    """The head of the page."""

    state: State
    icon: str
    word: str
    sentence: str
    is_replay: bool
    """A recording is played again: drawn striped, so that it is never taken for live."""
    newest_s: float
    """When the last frame arrived, seconds since 1970; NaN before the first."""
    eta_s: float
    """Seconds until the last frame is acquired at the present pace; NaN: not known."""


def lag(snapshot: Snapshot, analysed_per_s: float) -> Lag:
    """Measure the lag.

    Parameters
    ----------
    snapshot : Snapshot
        The run now.
    analysed_per_s : float
        Results per second of late; NaN if not known.
    """
    frames = snapshot.frames
    waiting = frames.index[frames["acquired"]].difference(snapshot.results.index)
    arrived_s = frames.loc[waiting, "time_s"].min() if len(waiting) else NAN
    gain_per_s = analysed_per_s
    if snapshot.is_acquiring and math.isfinite(pace_s := _seconds_per_frame(snapshot)):
        gain_per_s -= 1 / pace_s
    if not len(waiting):
        catch_up_s = 0.0
    elif math.isnan(gain_per_s):
        catch_up_s = NAN
    else:
        catch_up_s = len(waiting) / gain_per_s if gain_per_s > 0 else math.inf
    return Lag(len(waiting), snapshot.taken_s - arrived_s, catch_up_s)


def run_status(snapshot: Snapshot, behind: Lag) -> Status:
    """Judge the run. The worst that is true is said."""
    state, sentence = _judge(snapshot, behind)
    is_replay = snapshot.plan.source == "replay"
    word = state.capitalize()
    if is_replay:
        word = "Replay" if state == "running" else f"Replay · {state}"
    pace_s = _seconds_per_frame(snapshot)
    return Status(
        state=state,
        icon=ICONS[state],
        word=word,
        sentence=sentence,
        is_replay=is_replay,
        newest_s=float(snapshot.frames["time_s"].max()),
        eta_s=snapshot.counts.missing * pace_s if snapshot.is_acquiring else NAN,
    )


def _judge(snapshot: Snapshot, behind: Lag) -> tuple[State, str]:
    counts = snapshot.counts
    if failure := _failure(snapshot):
        return "failed", f"{failure} {_what_is_safe(snapshot)}"
    if counts.acquired == 0 and snapshot.is_acquiring:
        return "waiting", f"Waiting for the first of {amount(counts.expected, 'frame')}."
    if counts.waiting and not snapshot.is_acquiring and not snapshot.is_analysing:
        return "behind", (
            f"{amount(counts.waiting, 'frame')} without a result, and no analysis is "
            "running. Start it with: samcell-live analyse"
        )
    if behind.frames >= max(BEHIND_AT_LEAST, 2 * _frames_per_scan(snapshot)):
        return "behind", f"{amount(behind.frames, 'frame')} behind, {_catching_up(behind)}."
    if counts.waiting or snapshot.is_acquiring:
        return "running", _progress(snapshot)
    return "finished", _summary(snapshot)


def _failure(snapshot: Snapshot) -> str:
    """Say what broke; empty if nothing did."""
    recorder, worker, now_s = snapshot.acquisition, snapshot.worker, snapshot.taken_s
    if recorder is not None and recorder.state == "failed":
        return f"The acquisition failed: {recorder.message or 'no reason was given'}."
    if recorder is not None and recorder.is_stale(now_s):
        silence = duration(now_s - recorder.heartbeat_s)
        return f"The acquisition on {recorder.host} has not been heard of for {silence}."
    if worker is None or not snapshot.counts.waiting:
        return ""
    if worker.state == "failed":
        return f"The analysis failed: {worker.message or 'no reason was given'}."
    if worker.is_stale(now_s):
        silence = duration(now_s - worker.heartbeat_s)
        return f"The analysis on {worker.host} has not been heard of for {silence}."
    return ""


def _what_is_safe(snapshot: Snapshot) -> str:
    acquired = snapshot.counts.acquired
    if acquired == 0:
        return "No frame had been acquired."
    good = "frame is" if acquired == 1 else "frames are"
    return f"{acquired:,} {good} safe on disk."


def _progress(snapshot: Snapshot) -> str:
    counts = snapshot.counts
    return f"{counts.acquired:,} of {counts.expected:,} frames acquired."


def _catching_up(behind: Lag) -> str:
    if math.isnan(behind.catch_up_s):
        return "pace not known yet"
    if math.isinf(behind.catch_up_s):
        return "slower than the microscope"
    return f"caught up in about {duration(behind.catch_up_s)}"


def _summary(snapshot: Snapshot) -> str:
    counts, recorder = snapshot.counts, snapshot.acquisition
    early = recorder is not None and recorder.state == "cancelled"
    parts = [f"{'Stopped early' if early else 'Complete'}: {counts.analysed:,} analysed"]
    parts += [f"{counts.failed:,} failed"] if counts.failed else []
    parts += [f"{counts.missing:,} missing"] if counts.missing else []
    return ", ".join(parts) + f" of {counts.expected:,} frames."


def _frames_per_scan(snapshot: Snapshot) -> int:
    return snapshot.plan.shape.n_slots // snapshot.plan.shape.t


def _seconds_per_frame(snapshot: Snapshot) -> float:
    """Pace of the acquisition over its last scans; NaN if it cannot be told."""
    arrived_s = np.sort(snapshot.frames["time_s"].dropna().to_numpy())
    recent = arrived_s[-(10 * _frames_per_scan(snapshot) + 1) :]
    if recent.size < 2 or recent[-1] == recent[0]:
        return NAN
    return float(recent[-1] - recent[0]) / (recent.size - 1)
