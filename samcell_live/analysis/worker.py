"""The worker: a loop over frames that does not know where they come from."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from samcell_live.analysis.queue import waiting_frames
from samcell_live.culture.cells import cell_table
from samcell_live.culture.confluence import measured_only, summarise
from samcell_live.records import (
    Frame,
    FrameCounts,
    FrameKey,
    Labels,
    Segmentation,
    SeriesRow,
)
from samcell_live.segmentation.segmenter import load_segmenter
from samcell_live.settings import AnalysisSettings
from samcell_live.store.plan import RunPlan
from samcell_live.store.processes import ProcessRecord, analysis_role
from samcell_live.store.reader import RunReader
from samcell_live.store.results import open_analysis

logger = logging.getLogger(__name__)

FATAL_ATTEMPTS = 2
"""A frame that ends the worker this often is marked failed."""


class WorkInterruptedError(RuntimeError):
    """An analysis that had begun could not go on; it may be started again."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """All that is committed of one frame."""

    row: SeriesRow
    labels: Labels | None = None
    """(height, width); None in a frame that is only measured."""
    cells: npt.NDArray[np.float32] | None = None
    """(n_cells, n_columns) in the columns of `CellRow`."""


class Results(Protocol):
    """Where results go."""

    def commit(
        self,
        key: FrameKey,
        row: SeriesRow,
        *,
        labels: Labels | None = None,
        cells: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """Keep the result of a frame."""

    def fail(self, key: FrameKey, reason: str) -> None:
        """Keep the reason why a frame has none."""


@dataclass(slots=True)
class WorkerHealth:
    """How the worker does; written with its heartbeat."""

    attempting: int = -1
    """Slot of the frame at work, -1 for none."""
    attempts: dict[int, int] = field(default_factory=dict)
    """Slots on which a worker died before, and how often."""
    model: str = ""
    device: str = ""
    seconds_per_frame: float = math.nan
    """Moving mean over the last few frames."""

    def finished(self, taken_s: float) -> None:
        """Count the time of a frame, and that none is at work now."""
        before = taken_s if math.isnan(self.seconds_per_frame) else self.seconds_per_frame
        self.seconds_per_frame = before + 0.2 * (taken_s - before)
        self.attempting = -1

    def figures(self) -> dict[str, float | str | None]:
        """Plain values for the process record."""
        return {
            "attempting": self.attempting,
            "attempts": json.dumps(self.attempts),
            "model": self.model,
            "device": self.device,
            "seconds_per_frame": (
                None
                if math.isnan(self.seconds_per_frame)
                else round(self.seconds_per_frame, 4)
            ),
        }


def examine(
    frame: Frame, plan: RunPlan, segment: Callable[[Frame], Segmentation]
) -> Result:
    """Find and measure the cells of a frame, or just measure its quality."""
    if not plan.is_segmented(frame.key):
        return Result(measured_only(frame.pixels, bits=plan.bits))
    started = time.perf_counter()
    labels = segment(frame).labels
    inference_ms = (time.perf_counter() - started) * 1e3
    cells = cell_table(labels, frame.pixels, frame.pixel_size_um)
    row = summarise(
        labels,
        frame.pixels,
        cells,
        pixel_size_um=frame.pixel_size_um,
        bits=plan.bits,
        inference_ms=inference_ms,
    )
    return Result(row, labels, cells)


def analyse(
    keys: Iterable[FrameKey],
    read: Callable[[FrameKey], Frame],
    examine_frame: Callable[[Frame], Result],
    results: Results,
) -> None:
    """Give every frame a result, or a reason why it has none.

    A result that cannot be stored is not caught: a full disk ends the worker loudly,
    and the frame stays waiting.
    """
    for key in keys:
        try:
            result = examine_frame(read(key))
        except Exception as error:  # one bad frame must not end a two-day run
            logger.warning("No result for %s", key, exc_info=True)
            results.fail(key, f"{type(error).__name__}: {error}")
        else:
            results.commit(key, result.row, labels=result.labels, cells=result.cells)


def analyse_run(
    path: Path,
    settings: AnalysisSettings,
    *,
    follow: bool = False,
    stop: threading.Event | None = None,
    on_frame: Callable[[FrameKey], None] = lambda key: None,
) -> FrameCounts:
    """Work off a run store: one analysis, by this process alone.

    Parameters
    ----------
    path : Path
        The run store.
    settings : AnalysisSettings
        Name, model and thresholds of the analysis.
    follow : bool
        Stay while the acquisition runs, and take its frames as they come.
    stop : threading.Event, optional
        Set it to end after the frame at hand.
    on_frame : callable
        Told of each frame before it is analysed.

    Returns
    -------
    FrameCounts
        The account of the run at the end.

    Raises
    ------
    ValueError
        If there is no run at `path`, the model cannot be loaded, or the analysis was
        begun with other settings.
    RoleTakenError
        If another process is at this analysis.
    WorkInterruptedError
        If the work had begun and could not go on.
    """
    reader = RunReader(path)
    health = WorkerHealth()
    with ProcessRecord(path, analysis_role(settings.name), health.figures) as record:
        segmenter = load_segmenter(settings.segmentation)
        making = segmenter.making
        health.model, health.device = making.model, making.device
        results = open_analysis(path, reader.plan, settings.name, making)
        health.attempts = _earlier_deaths(record)
        for slot, attempts in health.attempts.items():
            if attempts >= FATAL_ATTEMPTS and slot in reader.waiting(settings.name):
                results.fail(
                    reader.plan.shape.key(slot), f"the worker died {attempts} times on it"
                )

        def announced() -> Iterator[FrameKey]:
            for key in waiting_frames(
                reader, settings.name, order=settings.order, follow=follow, stop=stop
            ):
                health.attempting = reader.plan.shape.slot(key)
                record.write_now()
                on_frame(key)
                started = time.perf_counter()
                yield key
                health.finished(time.perf_counter() - started)

        def examined(frame: Frame) -> Result:
            return examine(frame, reader.plan, segment)

        def segment(frame: Frame) -> Segmentation:
            return segmenter(frame.pixels, frame.pixel_size_um)

        try:
            analyse(announced(), reader.frame, examined, results)
        except (OSError, ValueError) as error:
            raise WorkInterruptedError(
                f"The analysis of {path} was interrupted: {error}. What was committed is "
                "safe; the same command goes on from there."
            ) from error
    return reader.counts(settings.name)


def _earlier_deaths(record: ProcessRecord) -> dict[int, int]:
    """Read on which frames earlier workers died, from the record of the last one."""
    last = record.previous
    if last is None:
        return {}
    attempts = {
        int(slot): n
        for slot, n in json.loads(str(last.health.get("attempts", "{}"))).items()
    }
    slot = int(str(last.health.get("attempting", -1)))
    if last.state == "running" and slot >= 0:
        attempts[slot] = attempts.get(slot, 0) + 1
    return attempts
