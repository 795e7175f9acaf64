"""Attaching to an acquisition, whoever started it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import numpy as np
from useq import MDAEvent, MDASequence

from samcell_live.analysis.live_run import LiveRun
from samcell_live.microscope.planning import calibrated, plan_run
from samcell_live.microscope.tap import Metadata, Tap
from samcell_live.records import NAN, Frame, FrameKey, FrameRow, Pixels
from samcell_live.segmentation.segmenter import check_model
from samcell_live.settings import (
    AnalysisSettings,
    RunSettings,
    SegmentationSettings,
    SimulatedMicroscope,
)
from samcell_live.store.processes import State

LAST_WORD_S = 30.0
"""After an acquisition stopped running, the word of its end may take this long."""

_RECORDED_VERSIONS = ("samcell-live", "pymmcore-plus", "useq-schema", "tensorstore")
_STATE_OF_REASON: Mapping[str, State] = {
    "completed": "finished",
    "canceled": "cancelled",
    "errored": "failed",
}


@dataclass(frozen=True, slots=True)
class Experiment:
    """What a monitored acquisition is, beyond its sequence."""

    name: str = "run"
    source: Literal["simulated", "microscope"] = "microscope"
    analysis: AnalysisSettings = field(default_factory=AnalysisSettings)
    bits: int | None = None
    """Bits of the camera that carry data; None: ask the camera."""
    pixel_size_um: float | None = None
    """Overrides the microscope's calibration."""
    culture_seconds_per_second: float | None = None
    """A simulated culture's time runs with the sequence's, this much faster; None: real."""
    budget_bytes: int = 2**30
    plate: tuple[int, int] | None = None
    """Rows and columns of the well plate; None: the smallest that holds the wells."""
    settings: Mapping[str, Any] | None = None
    """Kept in the store beside the numbers."""

    @classmethod
    def from_settings(
        cls, settings: RunSettings, plate: tuple[int, int] | None
    ) -> Experiment:
        """Take what a configuration says of the experiment."""
        simulated = (
            settings.microscope
            if isinstance(settings.microscope, SimulatedMicroscope)
            else None
        )
        return cls(
            name=settings.name,
            source="simulated" if simulated else "microscope",
            analysis=settings.analysis,
            bits=simulated.bits if simulated else None,
            pixel_size_um=settings.microscope.pixel_size_um,
            culture_seconds_per_second=simulated.speed if simulated else None,
            budget_bytes=settings.memory_budget_mb * 2**20,
            plate=plate,
            settings=settings.model_dump(mode="json", exclude={"sequence"}),
        )


class Monitor:
    """Listens to one core and records and analyses every sequence it runs.

    The first sequence goes into `store`, the next into a folder with ``-2`` and so on.
    """

    def __init__(self, core: Any, store: Path, experiment: Experiment) -> None:
        self.runs: list[LiveRun] = []
        self.refusal: Exception | None = None
        """Why a sequence is not recorded; None when all are."""
        self.n_unrecorded = 0
        """Frames that came while no run could take them."""
        self._acquiring: dict[UUID, LiveRun] = {}
        self._core = core
        self._store = store
        self._experiment = experiment
        self._tap = Tap(core.mda.events, self)

    @property
    def errors(self) -> list[str]:
        """What went wrong in listening; empty when all is well."""
        return self._tap.errors

    @property
    def run(self) -> LiveRun | None:
        """The latest run, or None before the first sequence."""
        return self.runs[-1] if self.runs else None

    def sequence_started(self, sequence: MDASequence, summary: Metadata) -> None:
        """Make the store of a sequence that is about to begin."""
        self._end(sequence.uid, "failed", "the sequence began again before it had ended")
        try:
            self._begin(sequence, summary)
        except Exception as error:
            self.refusal = error
            raise

    def frame_ready(self, image: Pixels, event: MDAEvent, metadata: Metadata) -> None:
        """Take one frame. Runs in the camera's thread."""
        run = self._acquiring.get(event.sequence.uid) if event.sequence else self.run
        if run is None or not run.is_acquiring:
            self._pass_over()
            return
        key = FrameKey.from_index(event.index)
        size_um = run.plan.pixel_size_um or NAN
        run.offer(Frame(key, image, size_um, self._row(event, metadata)))

    def sequence_finished(self, sequence: MDASequence) -> None:
        """Record how the sequence ended."""
        reason = str(self._core.mda.status.finish_reason)
        state = _STATE_OF_REASON.get(reason, "finished")
        said = "the acquisition raised an error; see the log of pymmcore-plus"
        self._end(sequence.uid, state, said if state == "failed" else "")

    def give_up_after(self, seconds: float) -> None:
        """Lose frames that cannot be written for this much longer."""
        for run in self.runs:
            run.give_up_after(seconds)

    def close(self, *, wait: bool) -> None:
        """Stop listening once the sequence at hand is over; see `monitor`."""
        while self._core.mda.is_running():
            time.sleep(0.05)
        deadline_s = time.monotonic() + LAST_WORD_S
        while self._acquiring and time.monotonic() < deadline_s:
            time.sleep(0.05)
        self._tap.disconnect()
        for uid in list(self._acquiring):
            self._end(uid, "failed", "the end of the sequence was not heard of")
        for run in self.runs if wait else []:
            run.wait()

    def _pass_over(self) -> None:
        self.n_unrecorded += 1
        if self.n_unrecorded == 1 and self.refusal is None:
            self._tap.errors.append(
                "Frames came of an acquisition that had begun before this; they are not "
                "recorded. The next sequence is."
            )

    def _end(self, uid: UUID, state: State, message: str = "") -> None:
        run = self._acquiring.pop(uid, None)
        if run is not None:
            run.finish(state, message)

    def _begin(self, sequence: MDASequence, summary: Metadata) -> None:
        experiment = self._experiment
        plan, expected = plan_run(
            sequence,
            summary["image_infos"][0],
            name=experiment.name,
            source=experiment.source,
            analysis=experiment.analysis,
            bits=experiment.bits or self._core.getImageBitDepth(),
            pixel_size_um=experiment.pixel_size_um,
            time_scale=experiment.culture_seconds_per_second or 1.0,
            plate=experiment.plate,
            settings=experiment.settings
            or {"analysis": experiment.analysis.model_dump(mode="json")},
            versions={name: version(name) for name in _RECORDED_VERSIONS},
        )
        path = _free_path(self._store) if self.runs else self._store
        run = LiveRun(path, plan, expected, budget_bytes=experiment.budget_bytes)
        self.runs.append(run)
        self._acquiring[sequence.uid] = run

    def _row(self, event: MDAEvent, metadata: Metadata) -> FrameRow:
        speed = self._experiment.culture_seconds_per_second
        if speed is None:
            elapsed_s = metadata.get("runner_time_ms", np.nan) / 1e3
        else:
            elapsed_s = (event.min_start_time or 0.0) * speed
        stage = metadata.get("position") or {}
        return FrameRow(
            time_s=time.time(),
            elapsed_s=elapsed_s,
            stage_x_um=stage.get("x", NAN),
            stage_y_um=stage.get("y", NAN),
            stage_z_um=stage.get("z", NAN),
            exposure_ms=metadata.get("exposure_ms", NAN),
        )


@contextmanager
def monitor(
    core: Any,
    store: str | Path,
    *,
    model: str = "starter",
    experiment: Experiment | None = None,
    wait: bool = True,
) -> Iterator[Monitor]:
    """Record and analyse whatever a pymmcore-plus core acquires in this block.

    Frames come from every sequence that runs on `core`, whoever started it: a script,
    napari-micromanager or pymmcore-gui. Each sequence is a run store of its own, and a
    worker process analyses it meanwhile. The acquisition never waits for the analysis
    and never sees an error of ours; look at ``monitor.errors``.

    Parameters
    ----------
    core : pymmcore_plus.CMMCorePlus
        With a configuration loaded and the pixel size calibrated.
    store : path
        Folder of the first run, by custom ending in ``.ome.zarr``; made here.
    model : str
        Name or path of the model.
    experiment : Experiment, optional
        Everything else there is to set.
    wait : bool
        Leave the block only when every frame has its result. Otherwise the worker goes
        on by itself after the last frame is safe on disk.

    Yields
    ------
    Monitor
        ``runs`` and ``errors`` so far.

    Raises
    ------
    FileExistsError
        If something is at `store` already.
    ValueError
        If the core's pixel size is not calibrated, or there is no such model.
    """
    path = Path(store)
    if path.exists():
        raise FileExistsError(f"{path} exists already. Give the run a store of its own.")
    if experiment is None:
        analysis = AnalysisSettings(segmentation=SegmentationSettings(model=model))
        experiment = Experiment(name=path.name.removesuffix(".ome.zarr"), analysis=analysis)
    check_model(experiment.analysis.segmentation)
    calibrated(experiment.pixel_size_um or core.getPixelSizeUm())
    listening = Monitor(core, path, experiment)
    try:
        yield listening
    finally:
        listening.close(wait=wait)


def _free_path(path: Path) -> Path:
    stem = path.name.removesuffix(".ome.zarr")
    return next(
        candidate
        for number in range(2, 10_000)
        if not (candidate := path.with_name(f"{stem}-{number}.ome.zarr")).exists()
    )
