"""A recording goes the way of live frames: into a run store, through the same worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import samcell_live
from samcell_live.analysis.live_run import LiveRun
from samcell_live.recordings.recording import Recording
from samcell_live.records import Frame
from samcell_live.settings import AnalysisSettings


def replay_recording(
    recording: Recording, store: Path, analysis: AnalysisSettings, stop: threading.Event
) -> Iterator[None]:
    """Replay a recording as fast as it can be analysed, giving control back often.

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
        If a frame of the recording cannot be read; those before it are kept.
    """
    plan = recording.plan.model_copy(
        update={
            "settings": {"analysis": analysis.model_dump(mode="json")},
            "versions": {"samcell-live": samcell_live.__version__},
        }
    )
    store.parent.mkdir(parents=True, exist_ok=True)
    run = LiveRun(store, plan, recording.keys)
    try:
        for frame in recording.frames():
            if stop.is_set():
                break
            run.offer(_arriving(frame))
            yield
    except BaseException as error:
        run.finish("failed", f"{type(error).__name__}: {error}")
        run.worker.kill()
        raise
    run.finish("cancelled" if stop.is_set() else "finished")
    yield from run.finishing()


def _arriving(frame: Frame) -> Frame:
    """Give a recorded frame the time at which it comes into this run."""
    return replace(frame, row=frame.row._replace(time_s=time.time()))
