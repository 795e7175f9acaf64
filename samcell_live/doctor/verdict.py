"""Will the run keep up? Plan against speeds: numbers in, sentences out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from samcell_live.doctor.findings import Finding, in_bytes, in_words
from samcell_live.doctor.workload import Workload, done_s, most_waiting

ROOM_LEFT = 0.8
"""A run that takes more of the free space than this leaves too little for others."""


@dataclass(frozen=True, slots=True)
class Speeds:
    """What this computer can do; NaN where it could not be measured."""

    disk_s_per_frame: float
    """Until a frame is safe on disk."""
    worker_s_per_frame: float
    """From a frame to its cells and their table."""
    free_bytes: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be expected of a run."""

    keeps_up: bool | None
    """None: not known."""
    sentence: str
    findings: tuple[Finding, ...]


def judge(work: Workload, speeds: Speeds, *, budget_bytes: int) -> Verdict:
    """Say whether a run will keep up.

    Parameters
    ----------
    work : Workload
        What the run asks for.
    speeds : Speeds
        What the computer can do.
    budget_bytes : int
        Frames that wait for the disk hold at most this much memory.
    """
    findings = (
        _microscope(work),
        _disk(work, speeds.disk_s_per_frame, budget_bytes),
        _worker(work, speeds.worker_s_per_frame),
        _space(work, speeds.free_bytes),
    )
    failed = [finding.found for finding in findings if finding.status == "fail"]
    unknown = [finding.found for finding in findings if finding.status == "unknown"]
    if failed:
        return Verdict(False, f"This run will not keep up: {'; '.join(failed)}.", findings)
    if unknown:
        sentence = f"Whether this run will keep up is not known: {'; '.join(unknown)}."
        return Verdict(None, sentence, findings)
    finished_s = done_s(work.arrival_s[work.is_segmented], speeds.worker_s_per_frame)
    behind_s = float(finished_s.max(initial=work.end_s)) - work.end_s
    return Verdict(
        True,
        f"This run will keep up: {len(work.arrival_s):,} frames in "
        f"{in_words(work.end_s)}, all analysed {in_words(behind_s)} after the last.",
        findings,
    )


def _microscope(work: Workload) -> Finding:
    late_s = work.end_s - work.planned_end_s
    n_frames = len(work.arrival_s)
    if late_s > work.interval_s:
        return Finding(
            "pace",
            "fail",
            f"exposures alone put the last scan {in_words(late_s)} behind its plan",
            "Lengthen the interval, or expose less.",
        )
    if math.isnan(work.interval_s):
        return Finding("pace", "ok", f"one scan of {n_frames:,} frames")
    mean = f"{n_frames / work.end_s:.3g} frames per second on average"
    return Finding("pace", "ok", f"{mean} over {in_words(work.end_s)}")


def _disk(work: Workload, seconds: float, budget_bytes: int) -> Finding:
    if math.isnan(seconds):
        return Finding("disk against the plan", "unknown", "the disk was not measured")
    waiting = most_waiting(work.arrival_s, done_s(work.arrival_s, seconds))
    waiting_bytes = waiting * work.frame_bytes
    in_memory = (
        f"up to {in_bytes(waiting_bytes)} of frames would wait for a disk that takes "
        f"{in_words(seconds)} a frame"
    )
    if waiting_bytes > budget_bytes:
        return Finding(
            "disk against the plan",
            "fail",
            f"{in_memory}, more than the {in_bytes(budget_bytes)} of memory_budget_mb, so "
            "that the camera waits",
            "Take a faster disk, or raise memory_budget_mb.",
        )
    return Finding("disk against the plan", "ok", in_memory)


def _worker(work: Workload, seconds: float) -> Finding:
    name = "analysis against the plan"
    if math.isnan(seconds):
        return Finding(name, "unknown", "the model was not measured")
    ready_s = work.arrival_s[work.is_segmented]
    finished_s = done_s(ready_s, seconds)
    end_s = work.end_s
    after_s = float(finished_s.max(initial=end_s)) - end_s
    figures = f"{in_words(seconds)} a frame on {len(ready_s):,} frames"
    if after_s > work.interval_s:
        backlog = int(np.count_nonzero(finished_s > end_s))
        return Finding(
            name,
            "fail",
            f"the analysis takes {figures}; falls behind by "
            f"{backlog * 3600 / end_s:,.0f} frames per hour; all analysed "
            f"{in_words(after_s)} after its end",
            "Take a faster device or the starter, or lengthen the interval. Nothing is "
            "lost otherwise: the analysis goes on after the run.",
        )
    return Finding(name, "ok", figures)


def _space(work: Workload, free_bytes: float) -> Finding:
    name = "space against the plan"
    if math.isnan(free_bytes):
        return Finding(name, "unknown", "the free space is not known")
    needed = work.total_bytes
    figures = (
        f"the run takes up to {in_bytes(needed)} (frames uncompressed, with masks and "
        f"tables), and {in_bytes(free_bytes)} are free"
    )
    if needed > free_bytes:
        return Finding(name, "fail", figures, "Free some space, or take another disk.")
    if needed > ROOM_LEFT * free_bytes:
        return Finding(name, "warn", figures, "Free some space: a full disk stops the run.")
    return Finding(name, "ok", figures)
