"""Is the run alive? Its state in one word and one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from samcell_dashboard.pace import Lag, frames_per_scan
from samcell_dashboard.vitals import Crew, Vitals
from samcell_dashboard.wording import amount, duration

State: TypeAlias = Literal["waiting", "running", "paused", "behind", "finished", "failed"]

ICONS: dict[State, str] = {
    "waiting": "◌",
    "running": "●",
    "paused": "‖",
    "behind": "▲",
    "finished": "✓",
    "failed": "✕",
}
BEHIND_AT_LEAST = 3
"""Fewer waiting frames than this are on their way, not behind."""
STARTING_S = 30.0
"""After an acquisition, a worker may be started as late as this."""
LOADING_S = 300.0
"""A worker that was started is heard of once it has loaded its model, or never."""


@dataclass(frozen=True, slots=True)
class Status:
    """The head of the page."""

    state: State
    icon: str
    word: str
    sentence: str
    is_replay: bool = False
    """A recording is played again: drawn striped, so that it is never taken for live."""


def run_status(vitals: Vitals, behind: Lag) -> Status:
    """Judge the run. The worst that is true is said."""
    state, sentence = _judge(vitals, behind)
    is_replay = vitals.plan.source == "replay"
    word = state.capitalize()
    if is_replay:
        word = "Replay" if state == "running" else f"Replay · {state}"
    return Status(state, ICONS[state], word, sentence, is_replay)


def failed_status(reason: str) -> Status:
    """Status of a run of which nothing else is known."""
    return Status("failed", ICONS["failed"], "Failed", reason)


def _judge(vitals: Vitals, behind: Lag) -> tuple[State, str]:
    counts = vitals.account
    if failure := _failure(vitals):
        return "failed", f"{failure} {_what_is_safe(counts.acquired)}"
    if reason := _pause(vitals):
        return "paused", f"Paused: {reason}. {_what_is_safe(counts.acquired)}"
    if counts.acquired == 0 and vitals.is_acquiring:
        how_many = f"of {amount(counts.expected, 'frame')}"
        of_what = "frame" if vitals.plan.is_open else how_many
        return "waiting", f"Waiting for the first {of_what}."
    if unattended := _without_worker(vitals):
        return unattended
    if behind.frames >= max(BEHIND_AT_LEAST, 2 * frames_per_scan(vitals.plan)):
        return "behind", f"{amount(behind.frames, 'frame')} behind, {_catching_up(behind)}."
    if counts.waiting or vitals.is_acquiring:
        return "running", _progress(vitals)
    return "finished", _summary(vitals)


def _without_worker(vitals: Vitals) -> tuple[State, str] | None:
    """Say what becomes of frames that wait while nobody works; None if that is well."""
    waiting = vitals.account.waiting
    if not waiting or vitals.crew.is_analysing:
        return None
    if _is_worker_starting(vitals.crew):
        return (
            "running",
            f"The analysis is starting; {amount(waiting, 'frame')} to analyse.",
        )
    if vitals.is_acquiring:
        return None
    return "behind", (
        f"{amount(waiting, 'frame')} without a result, and no analysis is "
        "running. Start it with: samcell-live analyse"
    )


def _is_worker_starting(crew: Crew) -> bool:
    """Whether a worker was started that has not been heard of since."""
    recorder, worker = crew.acquisition, crew.worker
    if recorder is None or (worker and worker.heartbeat_s > recorder.heartbeat_s):
        return False
    was_started = recorder.health.get("worker") in ("starting", "running")
    if recorder.is_alive(crew.asked_s):
        return was_started
    silence_s = crew.asked_s - recorder.heartbeat_s
    if was_started:
        return silence_s < LOADING_S
    return worker is None and silence_s < STARTING_S


def _failure(vitals: Vitals) -> str:
    """Say what broke; empty if nothing did."""
    recorder, worker = vitals.crew.acquisition, vitals.crew.worker
    now_s = vitals.crew.asked_s
    if recorder is not None and recorder.state == "failed":
        return f"The acquisition failed: {recorder.message or 'no reason was given'}."
    if recorder is not None and recorder.is_stale(now_s):
        silence = duration(now_s - recorder.heartbeat_s)
        return f"The acquisition on {recorder.host} has not been heard of for {silence}."
    if worker is None or not vitals.account.waiting:
        return ""
    if worker.state == "failed":
        return f"The analysis failed: {worker.message or 'no reason was given'}."
    if worker.is_stale(now_s):
        silence = duration(now_s - worker.heartbeat_s)
        return f"The analysis on {worker.host} has not been heard of for {silence}."
    return ""


def _pause(vitals: Vitals) -> str:
    """Say why the acquisition is paused; empty if it is not."""
    recorder = vitals.crew.acquisition
    if recorder is None or not recorder.is_alive(vitals.crew.asked_s):
        return ""
    return str(recorder.health.get("paused") or "")


def _what_is_safe(acquired: int) -> str:
    if acquired == 0:
        return "No frame had been acquired."
    good = "frame is" if acquired == 1 else "frames are"
    return f"{acquired:,} {good} safe on disk."


def _progress(vitals: Vitals) -> str:
    counts = vitals.account
    if vitals.plan.is_open:
        how_many = amount(counts.acquired, "frame")
        return f"{how_many} acquired. How many will come is not known."
    return f"{counts.acquired:,} of {counts.expected:,} frames acquired."


def _catching_up(behind: Lag) -> str:
    if math.isnan(behind.catch_up_s):
        return "pace not known yet"
    if math.isinf(behind.catch_up_s):
        return "slower than the microscope"
    return f"caught up in about {duration(behind.catch_up_s)}"


def _summary(vitals: Vitals) -> str:
    counts, recorder = vitals.account, vitals.crew.acquisition
    early = recorder is not None and recorder.state == "cancelled"
    parts = [f"{'Stopped early' if early else 'Complete'}: {counts.analysed:,} analysed"]
    parts += [f"{counts.failed:,} failed"] if counts.failed else []
    parts += [f"{counts.missing:,} missing"] if counts.missing else []
    return ", ".join(parts) + f" of {counts.expected:,} frames."
