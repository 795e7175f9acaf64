"""The microscope that a configuration asks for, ready to acquire."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pymmcore_plus import CMMCorePlus, find_micromanager

from samcell_live.microscope.simulated import simulated_core
from samcell_live.settings import MicroManager, RunSettings, SimulatedMicroscope


@contextmanager
def microscope(settings: RunSettings) -> Iterator[CMMCorePlus]:
    """Have the microscope of an experiment ready, and let go of it afterwards.

    Yields
    ------
    pymmcore_plus.CMMCorePlus
        A core with its configuration loaded.

    Raises
    ------
    ValueError
        If Micro-Manager, its configuration or a device is missing; the message says
        which, and what to do.
    """
    core = _open_core(settings.microscope)
    try:
        yield core
    finally:
        core.unloadAllDevices()
        del core
        # A core that is still there when the interpreter ends may abort it.
        gc.collect()


def _open_core(wanted: SimulatedMicroscope | MicroManager) -> CMMCorePlus:
    match wanted:
        case SimulatedMicroscope():
            return simulated_core(wanted)
        case MicroManager():
            return _micromanager_core(wanted.config)


def _micromanager_core(config: Path) -> CMMCorePlus:
    if not config.is_file():
        raise ValueError(
            f"There is no Micro-Manager configuration at {config}. "
            "Set microscope.config to your .cfg file."
        )
    if find_micromanager() is None:
        raise ValueError(
            "No Micro-Manager device adapters were found. Install them with "
            "'mmcore install', or point MICROMANAGER_PATH to your Micro-Manager folder."
        )
    core = CMMCorePlus()
    try:
        core.loadSystemConfiguration(str(config))
    except (RuntimeError, OSError) as error:
        raise ValueError(
            f"Micro-Manager could not load {config}: {error}. Check that the devices are "
            "on and that their adapters are in Micro-Manager's folder."
        ) from error
    return core
