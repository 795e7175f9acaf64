"""The worker: a loop over frames that does not know where they come from.

A few frames are in hand at once, each in a thread of its own: while the network works on
one, others are read, flooded, measured and committed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from samcell_live.analysis.examination import Examination, Result
from samcell_live.analysis.hands import Hands
from samcell_live.analysis.lost_device import device_is_lost, end_at_once
from samcell_live.analysis.network import SharedNetwork
from samcell_live.analysis.queue import acquisition_is_over, waiting_frames
from samcell_live.analysis.worker_health import (
    FATAL_ATTEMPTS,
    WorkerHealth,
    earlier_deaths,
)
from samcell_live.records import (
    Frame,
    FrameCounts,
    FrameKey,
    Labels,
    SeriesRow,
)
from samcell_live.segmentation.segmenter import load_segmenter
from samcell_live.settings import AnalysisSettings
from samcell_live.store.plan import RunPlan
from samcell_live.store.processes import ProcessRecord, analysis_role
from samcell_live.store.reader import RunReader
from samcell_live.store.results import ResultsWriter, open_analysis

logger = logging.getLogger(__name__)

MOST_IN_HAND = 6
"""One is read, one has the network, one waits for it, others are flooded and committed."""

MOST_PX_IN_HAND = 2**26
"""A pixel takes 30 bytes or so while its frame is in hand."""


class WorkInterruptedError(RuntimeError):
    """An analysis that had begun could not go on; it may be started again."""


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


def analyse(
    keys: Iterable[FrameKey],
    read: Callable[[FrameKey], Frame],
    examine_frame: Callable[[Frame], Result],
    results: Results,
    *,
    hands: Hands | None = None,
    on_done: Callable[[FrameKey], None] = lambda key: None,
) -> None:
    """Give every frame a result, or a reason why it has none.

    A result that cannot be stored is not caught: a full disk ends the worker loudly,
    and the frame stays waiting.

    Parameters
    ----------
    keys : iterable of FrameKey
        Asked for the next one when there is a hand free for it.
    read, examine_frame : callable
        From a key to its frame, and from that to its result; in several threads at once.
    results : Results
        Told from several threads at once.
    hands : Hands, optional
        How many frames are in hand at once; unset, one.
    on_done : callable
        Told of each frame, in its thread, when it is no longer in hand.
    """

    def work_on(key: FrameKey) -> None:
        try:
            result = examine_frame(read(key))
        except Exception as error:  # one bad frame must not end a two-day run
            logger.warning("No result for %s", key, exc_info=True)
            results.fail(key, f"{type(error).__name__}: {error}")
        else:
            results.commit(key, result.row, labels=result.labels, cells=result.cells)
        finally:
            on_done(key)

    with hands or Hands(1) as hands:
        for key in hands.as_they_are_free(keys):
            hands.do(partial(work_on, key))


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
        Set it to end after the frames in hand.
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
        network = SharedNetwork(segmenter)
        making = segmenter.making
        health.model, health.device = making.model, making.device
        results = open_analysis(path, reader.plan, settings.name, making)
        health.attempts = _fail_the_fatal(record, reader, results)
        examination = Examination(reader, settings.name, network)
        hands = Hands(_most_in_hand(reader.plan))
        keys = waiting_frames(
            reader,
            settings.name,
            order=settings.order,
            follow=follow,
            is_over=lambda: hands.is_broken or (stop is not None and stop.is_set()),
        )

        def announce(key: FrameKey) -> None:
            record.write_now()
            on_frame(key)

        def examined(frame: Frame) -> Result:
            try:
                return examination(frame)
            except Exception as error:
                if device_is_lost(error):  # or every later frame would fail for it
                    end_at_once(error)
                raise

        try:
            analyse(
                _announced(keys, reader, health, announce),
                reader.frame,
                examined,
                results,
                hands=hands,
                on_done=lambda key: health.done(reader.plan.shape.slot(key)),
            )
            if reader.plan.is_open and acquisition_is_over(reader):
                results.last(reader.plan.shape.t)
        except (OSError, ValueError) as error:
            raise WorkInterruptedError(
                f"The analysis of {path} was interrupted: {error}. What was committed is "
                "safe; the same command goes on from there."
            ) from error
    return reader.counts(settings.name)


def _most_in_hand(plan: RunPlan) -> int:
    """Most frames in hand; the larger they are, the fewer."""
    fitting = MOST_PX_IN_HAND // (plan.height_px * plan.width_px)
    return max(1, min(MOST_IN_HAND, fitting))


def _fail_the_fatal(
    record: ProcessRecord, reader: RunReader, results: ResultsWriter
) -> dict[int, int]:
    """Mark frames failed that ended workers; gives the deaths on those to try again."""
    waiting = set(reader.waiting(results.name).tolist())
    deaths = earlier_deaths(record.previous, waiting)
    for slot, n_deaths in deaths.items():
        if n_deaths >= FATAL_ATTEMPTS:
            key = reader.plan.shape.key(slot)
            results.fail(key, f"the worker died {n_deaths} times on it")
    return {slot: n for slot, n in deaths.items() if n < FATAL_ATTEMPTS}


def _announced(
    keys: Iterable[FrameKey],
    reader: RunReader,
    health: WorkerHealth,
    announce: Callable[[FrameKey], None],
) -> Iterator[FrameKey]:
    """Say of each frame that it is in hand before it is.

    A frame that was in hand when a worker died is alone in hand, so that it is known
    whose fault it is if it happens again.
    """
    for key in keys:
        slot = reader.plan.shape.slot(key)
        is_suspect = slot in health.attempts
        if is_suspect:
            health.wait_until_idle()
        health.begin(slot)
        announce(key)
        yield key
        if is_suspect:
            health.wait_until_idle()
