"""Everything that is looked at before a run, in one go."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from samcell_live.doctor.disk import free_bytes, nearest_folder, seconds_per_frame
from samcell_live.doctor.findings import Finding, in_bytes, in_words
from samcell_live.doctor.machine import device, micromanager
from samcell_live.doctor.microscope import Planned, examine_microscope
from samcell_live.doctor.model import measure_model
from samcell_live.doctor.verdict import Speeds, Verdict, judge
from samcell_live.doctor.workload import plan_workload
from samcell_live.microscope.cores import microscope
from samcell_live.microscope.focus import without_plate_z
from samcell_live.records import NAN
from samcell_live.settings import MicroManager, RunSettings, SegmentationSettings

SIDE_PX = 2048
"""Of the frames that a computer without a planned run is measured with."""
PIXEL_SIZE_UM = 0.65


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found."""

    findings: tuple[Finding, ...]
    verdict: Verdict | None
    """None: no run was planned, or it would be refused."""

    @property
    def is_well(self) -> bool:
        """Whether nothing stands against the run."""
        failed = any(finding.status == "fail" for finding in self.findings)
        return not failed and (self.verdict is None or self.verdict.keeps_up is not False)


def examine(settings: RunSettings | None, store: Path) -> Examination:
    """Look at the machine and, if there is one, at a planned run.

    Parameters
    ----------
    settings : RunSettings or None
        The run; None: the machine only.
    store : Path
        Where the run is going to be. Some frames are written there and removed.
    """
    is_needed = settings is not None and isinstance(settings.microscope, MicroManager)
    segmentation = settings.analysis.segmentation if settings else SegmentationSettings()
    findings = [*micromanager(is_needed=is_needed), device(segmentation)]
    planned = None
    if settings is not None:
        more, planned = _microscope(settings)
        findings += more
    size = _FrameSize.of(planned)
    disk, disk_s, free = _disk(store, size)
    model, model_s = _model(segmentation, size)
    findings += [*disk, model]
    if settings is None or planned is None:
        return Examination(tuple(findings), None)
    work = plan_workload(planned.events, planned.plan, exposure_ms=planned.exposure_ms)
    verdict = judge(
        work,
        Speeds(disk_s, model_s, free),
        budget_bytes=settings.memory_budget_mb * 2**20,
    )
    return Examination((*findings, *verdict.findings), verdict)


@dataclass(frozen=True, slots=True)
class _FrameSize:
    height_px: int
    width_px: int
    dtype: str = "uint16"
    pixel_size_um: float = PIXEL_SIZE_UM

    @classmethod
    def of(cls, planned: Planned | None) -> _FrameSize:
        if planned is None:
            return cls(SIDE_PX, SIDE_PX)
        plan = planned.plan
        size_um = plan.pixel_size_um or PIXEL_SIZE_UM
        return cls(plan.height_px, plan.width_px, plan.dtype, size_um)

    def __str__(self) -> str:
        return f"{self.width_px} x {self.height_px} px"


def _microscope(settings: RunSettings) -> tuple[list[Finding], Planned | None]:
    sequence, plate = without_plate_z(settings.sequence)
    try:
        with microscope(settings) as core:
            return examine_microscope(core, settings, sequence, plate)
    except ValueError as error:
        return [Finding("microscope", "fail", str(error))], None


def _disk(store: Path, size: _FrameSize) -> tuple[list[Finding], float, float]:
    folder = nearest_folder(store)
    free = free_bytes(folder)
    room = Finding("space", "ok", f"{in_bytes(free)} free at {folder}")
    try:
        seconds = seconds_per_frame(
            folder, height_px=size.height_px, width_px=size.width_px, dtype=size.dtype
        )
    except OSError as error:
        found = f"{folder} cannot be written to: {error}"
        failed = Finding("disk", "fail", found, "Give another folder as --store.")
        return [room, failed], math.nan, free
    frame_bytes = size.height_px * size.width_px * (1 if size.dtype == "uint8" else 2)
    found = (
        f"{in_words(seconds)} until a frame of {size} is safe, "
        f"{in_bytes(frame_bytes / seconds)} a second"
    )
    return [room, Finding("disk", "ok", found)], seconds, free


def _model(settings: SegmentationSettings, size: _FrameSize) -> tuple[Finding, float]:
    try:
        pace = measure_model(
            settings,
            height_px=size.height_px,
            width_px=size.width_px,
            pixel_size_um=size.pixel_size_um,
        )
    except (ValueError, OSError, RuntimeError) as error:  # the last: short of memory
        return Finding("model", "fail", f"{settings.model}: {error}"), NAN
    about = "about " if pace.is_estimate else ""
    seconds = in_words(pace.seconds_per_frame)
    found = f"{settings.model}: {about}{seconds} for a frame of {size} on {pace.device}"
    return Finding("model", "ok", found), pace.seconds_per_frame
