"""Running an experiment from its configuration."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from useq import MDASequence

from samcell_live.analysis.live_run import LiveRun
from samcell_live.microscope.beginning import Experiment
from samcell_live.microscope.cores import microscope
from samcell_live.microscope.focus import stacked_from, without_plate_z
from samcell_live.microscope.monitor import Monitor, monitor
from samcell_live.microscope.planning import refuse_unknown_channels
from samcell_live.microscope.remaining import RemainingSequence, remaining, settings_of
from samcell_live.microscope.rules import RuleKeeper
from samcell_live.settings import RunSettings
from samcell_live.store.processes import ACQUISITION, refuse_taken
from samcell_live.store.reader import RunReader
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
    yield from _run(settings, sequence, experiment, store, stop)


def resume_experiment(store: Path, stop: threading.Event) -> Generator[None, None, None]:
    """Acquire what the run at `store` still lacks, as `run_experiment` would have.

    Frames go to their own places in the same store, each when it is due on the clock of
    the run, and the analysis goes on by itself. A run that lacks no frame is only
    analysed to its end.

    Raises
    ------
    ValueError, OSError
        If `store` is no run that could go on.
    RoleTakenError
        If another process acquires the run.
    """
    reader = RunReader(store)
    refuse_taken(store, ACQUISITION)
    sequence = remaining(store)
    if sequence.rest.missing:
        settings = settings_of(reader)
        experiment = Experiment.from_settings(settings, None)
        yield from _run(settings, sequence, experiment, store, stop)
    elif reader.counts(reader.plan.analysis.name).waiting:
        run = LiveRun(store, reader.plan, resume=True)
        run.finish("finished")
        yield from run.finishing()


def _run(
    settings: RunSettings,
    sequence: MDASequence,
    experiment: Experiment,
    store: Path,
    stop: threading.Event,
) -> Generator[None, None, None]:
    runs: Sequence[LiveRun] = []
    resume = isinstance(sequence, RemainingSequence)
    try:
        with (
            microscope(settings) as core,
            monitor(
                core, store, experiment=experiment, wait=False, resume=resume
            ) as listening,
        ):
            runs = listening.runs
            refuse_unknown_channels(core, sequence)
            sequence = _from_the_focus(core, sequence)
            rules = RuleKeeper(settings, core, sequence, listening)
            with rules.in_force():
                for _ in _acquiring(core, sequence, listening, stop):
                    rules.look()
                    yield
        if listening.refusal is not None:
            raise listening.refusal
        if listening.run is None:
            raise RuntimeError("The acquisition ended before its first frame.")
        for run in runs:
            for _ in run.finishing():
                rules.look()
                yield
        rules.look(at_once=True)
    except BaseException:  # wherever a second Ctrl-C comes: no worker is left behind
        for run in runs:
            run.worker.kill()
        raise


def _from_the_focus(core: Any, sequence: MDASequence) -> MDASequence:
    """Begin z-stacks where the focus is; the rest of a run knows where it was."""
    if isinstance(sequence, RemainingSequence) or not core.getFocusDevice():
        return sequence
    return stacked_from(sequence, core.getZPosition())


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
    except BaseException:  # Ctrl-C and a closed generator, too: the camera stops
        core.mda.cancel()
        listening.give_up_after(0)
        raise
