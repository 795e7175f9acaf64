"""Running an experiment from its configuration."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from useq import MDASequence

from samcell_live.analysis.live_run import LiveRun
from samcell_live.microscope.cores import microscope
from samcell_live.microscope.monitor import Experiment, Monitor, monitor
from samcell_live.microscope.planning import refuse_unknown_channels, without_plate_z
from samcell_live.settings import RunSettings
from samcell_live.store.spool import GIVE_UP_S


def run_experiment(
    settings: RunSettings, store: Path, stop: threading.Event
) -> Generator[None, None, None]:
    """Acquire and analyse an experiment, giving control back several times a second.

    Close it to end at once; see `contextlib.closing`.

    Parameters
    ----------
    settings : RunSettings
        The microscope, the sequence and the analysis.
    store : Path
        Folder to make for the run.
    stop : threading.Event
        Once set, the acquisition is cancelled; what is on disk is still analysed.

    Raises
    ------
    ValueError, OSError
        If the experiment cannot begin; nothing is left behind.
    RuntimeError
        If the acquisition ends before its first frame.
    """
    sequence, plate = without_plate_z(settings.sequence)
    experiment = Experiment.from_settings(settings, plate)
    runs: Sequence[LiveRun] = []
    try:
        with (
            microscope(settings) as core,
            monitor(core, store, experiment=experiment, wait=False) as listening,
        ):
            runs = listening.runs
            refuse_unknown_channels(core, sequence)
            yield from _acquiring(core, sequence, listening, stop)
        if listening.refusal is not None:
            raise listening.refusal
        if listening.run is None:
            raise RuntimeError("The acquisition ended before its first frame.")
        yield from listening.run.finishing()
    except BaseException:  # wherever a second Ctrl-C comes: no worker is left behind
        for run in runs:
            run.worker.kill()
        raise


def _acquiring(
    core: Any, sequence: MDASequence, listening: Monitor, stop: threading.Event
) -> Iterator[None]:
    try:
        thread = core.run_mda(sequence)
        while thread.is_alive():
            thread.join(0.1)
            if listening.refusal is not None:
                stop.set()  # nothing would be recorded, so nothing is acquired
            if stop.is_set():
                listening.give_up_after(GIVE_UP_S)
                core.mda.cancel()
            yield
    except BaseException:
        core.mda.cancel()
        listening.give_up_after(0)
        raise
