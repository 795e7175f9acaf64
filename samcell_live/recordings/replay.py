"""A recording goes the way of live frames: into a run store, through the same worker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import samcell_live
from samcell_live.analysis.live_run import LiveRun
from samcell_live.recordings.recording import Recording, Unreadable
from samcell_live.records import Frame
from samcell_live.segmentation.checking import check_model
from samcell_live.settings import AnalysisSettings

logger = logging.getLogger(__name__)

MOST_REASONS = 3
"""Unreadable frames that the run's message explains; the log has them all."""


def replay_recording(
    recording: Recording, store: Path, analysis: AnalysisSettings, stop: threading.Event
) -> Generator[None, None, None]:
    """Replay a recording as fast as it can be analysed, giving control back often.

    A frame that cannot be read is missing from the new run, whose message says why.
    Close the generator to end at once; see `contextlib.closing`.

    Parameters
    ----------
    recording : Recording
        Where the frames come from.
    store : Path
        Folder to make for the run.
    analysis : AnalysisSettings
        How the frames are analysed.
    stop : threading.Event
        Once set, no more frames are taken; those on disk are still analysed.

    Raises
    ------
    FileExistsError
        If something is at `store` already.
    OSError, ValueError
        If the store cannot be made or the model cannot be loaded; nothing is left behind.
    """
    check_model(analysis.segmentation)
    plan = recording.plan.model_copy(
        update={
            "settings": {"analysis": analysis.model_dump(mode="json")},
            "versions": {"samcell-live": samcell_live.__version__},
        }
    )
    run = LiveRun(store, plan, recording.keys)
    unreadable: list[Unreadable] = []
    try:
        for frame in recording.frames():
            if stop.is_set():
                break
            if isinstance(frame, Unreadable):
                logger.warning("Left out: %s", frame.reason)
                unreadable.append(frame)
            else:
                run.offer(_arriving(frame))
            yield
    except BaseException as error:
        run.finish("failed", f"{type(error).__name__}: {error}")
        run.worker.kill()
        raise
    run.finish("cancelled" if stop.is_set() else "finished", _missing(unreadable))
    yield from run.finishing()


def _missing(unreadable: Sequence[Unreadable]) -> str:
    """Say which frames are missing, and why; nothing if none is."""
    if not unreadable:
        return ""
    reasons = [frame.reason for frame in unreadable[:MOST_REASONS]]
    if len(unreadable) > MOST_REASONS:
        reasons.append(f"and {len(unreadable) - MOST_REASONS} more")
    return f"{len(unreadable)} unreadable frames are missing: {'; '.join(reasons)}"


def _arriving(frame: Frame) -> Frame:
    """Give a recorded frame the time at which it comes into this run."""
    return replace(frame, row=frame.row._replace(time_s=time.time()))
