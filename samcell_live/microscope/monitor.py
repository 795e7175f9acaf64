"""Attaching to an acquisition, whoever started it."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from useq import MDAEvent, MDASequence

from samcell_live.analysis.live_run import LiveRun
from samcell_live.memory import reuse_freed_memory
from samcell_live.microscope.beginning import Beginnings, Experiment
from samcell_live.microscope.focus import focus_trap
from samcell_live.microscope.planning import calibrated
from samcell_live.microscope.reception import Reception
from samcell_live.microscope.remaining import RemainingSequence, due_s
from samcell_live.microscope.tap import Metadata, Tap
from samcell_live.microscope.watch import Watch
from samcell_live.records import NAN, Frame, FrameRow, Pixels
from samcell_live.segmentation.checking import check_model
from samcell_live.settings import (
    AnalysisSettings,
    SegmentationSettings,
)
from samcell_live.store.processes import State
from samcell_live.store.reader import RunReader

logger = logging.getLogger(__name__)

NO_DISTANCE_UM = 0.01
"""A stage that is no further away than this is there."""

LAST_WORD_S = 30.0
"""After an acquisition stopped running, the word of its end may take this long."""

_STATE_OF_REASON: Mapping[str, State] = {
    "completed": "finished",
    "canceled": "cancelled",
    "errored": "failed",
}


class Monitor:
    """Listens to one core and records and analyses every sequence it runs.

    The first sequence goes into `store`, the next into a folder with ``-2`` and so on.
    """

    def __init__(self, core: Any, store: Path, experiment: Experiment) -> None:
        reuse_freed_memory()
        self.refusal: Exception | None = None
        """Why a sequence is not recorded; None when all are."""
        self._acquiring: dict[UUID | None, Reception] = {}
        self._unheard: set[UUID | None] = set()
        """Acquisitions that had begun before this; the rest was heard from its start."""
        self._without_axes: UUID | None = None
        """The acquisition whose frames do not say which sequence they belong to."""
        self._over: set[UUID | None] = set()
        self._resumed: RemainingSequence | None = None
        """What runs, if it is the rest of a run: all that comes is on its clock."""
        self._n_passed_over = 0
        self._receptions: list[Reception] = []
        self._core = core
        self._experiment = experiment
        self._beginnings = Beginnings(core, store, experiment)
        self._watch = Watch(core, self._being_acquired, experiment.keep_free_bytes)
        self._tap = Tap(core.mda.events, self)
        # Slow, so that no sequence is to wait for it; frames are heard of meanwhile.
        import_module("samcell_live.store.ome_xml")
        gc.collect()  # else the events of the first sequence bring it about

    @property
    def runs(self) -> list[LiveRun]:
        """All runs, in the order in which they began."""
        return self._beginnings.runs

    @property
    def errors(self) -> list[str]:
        """What went wrong in listening; empty when all is well."""
        return self._tap.errors

    @property
    def n_unrecorded(self) -> int:
        """Frames that came while no run could take them."""
        return self._n_passed_over + sum(one.n_refused for one in self._receptions)

    @property
    def run(self) -> LiveRun | None:
        """The latest run, or None before the first sequence."""
        return self.runs[-1] if self.runs else None

    def sequence_started(self, sequence: MDASequence, summary: Metadata) -> None:
        """Make the store of a sequence that is about to begin."""
        self._end(sequence.uid, "failed", "the sequence began again before it had ended")
        self._over.discard(sequence.uid)
        self._resumed = sequence if isinstance(sequence, RemainingSequence) else None
        if not sequence.axis_order:  # a generator of events: pymmcore-plus has no sequence
            self._without_axes = sequence.uid
            self._receive(sequence.uid, is_open=True)
            return
        if self._focus_is_not_at_0():
            self._warn_of_the_focus(sequence)
        try:
            run = self._beginnings.with_sequence(sequence, summary)
        except Exception as error:
            self.refusal = error
            self._over.add(sequence.uid)
            raise
        self._receive(sequence.uid, is_open=False, run=run)

    def extra_started(self, sequence: MDASequence, summary: Metadata) -> None:
        """Make the store of a sequence that is acquired between the scans of another.

        Unlike the other's, a refusal is the caller's to report.
        """
        run = self._beginnings.with_sequence(sequence, summary)
        self._receive(sequence.uid, is_open=False, run=run)

    def awaiting_event(self, event: MDAEvent, remaining_s: float) -> None:
        """Know when the next frame is due. Runs in the camera's thread."""
        self._watch.awaiting(remaining_s)

    def frame_ready(self, image: Pixels, event: MDAEvent, metadata: Metadata) -> None:
        """Take one frame. Runs in the camera's thread."""
        self._watch.frame_came()
        reception = self._reception(event)
        if reception is None:
            self._n_passed_over += 1
            return
        size_um = self._experiment.pixel_size_um or metadata.get("pixel_size_um") or NAN
        row = self._row(event, metadata)
        frame = Frame(reception.key(event), image, size_um, row)
        reception.take(frame, event)

    def sequence_finished(self, sequence: MDASequence) -> None:
        """Record how the sequence ended."""
        reason = str(self._core.mda.status.finish_reason)
        state = _STATE_OF_REASON.get(reason, "finished")
        said = "the acquisition raised an error; see the log of pymmcore-plus"
        message = said if state == "failed" else ""
        if sequence.uid in self._acquiring:
            self._end(sequence.uid, state, message)
        else:
            for uid in list(self._unheard):
                self._end(uid, state, message)

    def _being_acquired(self) -> list[LiveRun]:
        return [run for run in self.runs if run.is_acquiring]

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
        self._watch.close()
        for uid in list(self._acquiring):
            self._end(uid, "failed", "the end of the sequence was not heard of")
        for reception in self._receptions:
            reception.settle()
        for run in self.runs if wait else []:
            run.wait()

    def _reception(self, event: MDAEvent) -> Reception | None:
        uid = event.sequence.uid if event.sequence else None
        if uid in self._acquiring:
            return self._acquiring[uid]
        if self._without_axes in self._acquiring:
            return self._acquiring[self._without_axes]
        if uid in self._over and uid is not None:
            return None
        logger.warning("This acquisition had begun before: its first frames are missing.")
        if event.sequence is not None:
            self._warn_of_the_focus(event.sequence)
        self._unheard.add(uid)
        return self._receive(uid, is_open=event.sequence is None)

    def _receive(
        self, uid: UUID | None, *, is_open: bool, run: LiveRun | None = None
    ) -> Reception:
        reception = Reception(
            self._begin_in_the_middle,
            budget_bytes=self._experiment.budget_bytes,
            is_open=is_open,
            run=run,
        )
        self._receptions.append(reception)
        self._acquiring[uid] = reception
        return reception

    def _end(self, uid: UUID | None, state: State, message: str = "") -> None:
        reception = self._acquiring.pop(uid, None)
        self._over.add(uid)
        self._unheard.discard(uid)
        if reception is not None:
            reception.finish(state, message)

    def _focus_is_not_at_0(self) -> bool:
        has_focus = bool(self._core.getFocusDevice())
        return has_focus and abs(self._core.getZPosition()) > NO_DISTANCE_UM

    def _warn_of_the_focus(self, sequence: MDASequence) -> None:
        if trap := focus_trap(sequence):
            logger.error(trap)
            self._tap.errors.append(trap)

    def _begin_in_the_middle(
        self, first: Frame, event: MDAEvent, seen: Sequence[MDAEvent]
    ) -> LiveRun:
        try:
            return self._beginnings.in_the_middle(first, event, seen)
        except Exception as error:
            self.refusal = error
            self._tap.errors.append(f"{type(error).__name__}: {error}")
            raise

    def _row(self, event: MDAEvent, metadata: Metadata) -> FrameRow:
        speed = self._experiment.culture_seconds_per_second
        if speed is None:
            elapsed_s = metadata.get("runner_time_ms", np.nan) / 1e3
            if self._resumed is not None:
                elapsed_s += self._resumed.clock_s() - self._core.mda.seconds_elapsed()
        else:
            elapsed_s = due_s(event) * speed
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
    resume: bool = False,
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
    resume : bool
        The run at `store` is there and goes on: ``core.run_mda(remaining(store))``.

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
    if resume:
        plan = RunReader(path).plan
        experiment = experiment or Experiment(
            plan.name, analysis=plan.analysis, pixel_size_um=plan.pixel_size_um
        )
    elif path.exists():
        raise FileExistsError(
            f"{path} exists already. Give the run a store of its own, or resume it."
        )
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
