"""Running an experiment from its configuration."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from useq import MDASequence

from samcell_live.microscope.cores import microscope
from samcell_live.microscope.monitor import Experiment, monitor
from samcell_live.microscope.planning import refuse_unknown_channels, without_plate_z
from samcell_live.settings import RunSettings
from samcell_live.store.spool import GIVE_UP_S


def run_experiment(
    settings: RunSettings, store: Path, stop: threading.Event
) -> Iterator[None]:
    """Acquire and analyse an experiment, giving control back several times a second.

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
    with (
        microscope(settings) as core,
        monitor(core, store, experiment=experiment, wait=False) as listening,
    ):
        refuse_unknown_channels(core, sequence)
        try:
            for _ in _acquiring(core, sequence, stop):
                if listening.refusal is not None:
                    stop.set()  # nothing would be recorded, so nothing is acquired
                if stop.is_set():
                    listening.give_up_after(GIVE_UP_S)
                yield
        except BaseException:
            core.mda.cancel()
            listening.give_up_after(0)
            if listening.run is not None:
                listening.run.worker.kill()
            raise
    if listening.refusal is not None:
        raise listening.refusal
    if listening.run is None:
        raise RuntimeError("The acquisition ended before its first frame.")
    yield from listening.run.finishing()


def _acquiring(core: Any, sequence: MDASequence, stop: threading.Event) -> Iterator[None]:
    thread = core.run_mda(sequence)
    while thread.is_alive():
        thread.join(0.1)
        if stop.is_set() and core.mda.is_running():
            core.mda.cancel()
        yield
