"""What this computer has for a microscope: Micro-Manager, its adapters, a GPU."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

from pymmcore_plus import CMMCorePlus, find_micromanager

from samcell_live.doctor.findings import Finding, in_bytes
from samcell_live.segmentation.inference import choose_device
from samcell_live.segmentation.weights.registry import STARTER
from samcell_live.settings import SegmentationSettings


def micromanager(*, is_needed: bool) -> Iterator[Finding]:
    """Look for Micro-Manager and its device adapters.

    Parameters
    ----------
    is_needed : bool
        Whether the run cannot do without; the simulated microscope can.
    """
    wanted, adapters = _core_says()
    # The first is the one that pymmcore-plus takes: its device interface matches.
    path = find_micromanager()
    if path is None:
        others = find_micromanager(return_first=False)
        found = f"none whose devices speak {wanted}"
        if others:
            found += f"; of another version: {', '.join(others)}"
        yield Finding(
            "Micro-Manager",
            "fail" if is_needed else "warn",
            found,
            "Install it with 'mmcore install', or point MICROMANAGER_PATH to yours. "
            "The simulated microscope needs none.",
        )
        return
    yield Finding("Micro-Manager", "ok", f"{path}; {wanted}")
    yield Finding(
        "adapters",
        "ok" if adapters else "fail" if is_needed else "warn",
        f"{adapters} device adapters" if adapters else f"no device adapter in {path}",
        "" if adapters else "Point MICROMANAGER_PATH to a whole installation.",
    )


def _core_says() -> tuple[str, int]:
    """Give the device interface that a core wants, and how many adapters it sees."""
    core = CMMCorePlus()
    said = core.getAPIVersionInfo(), len(core.getDeviceAdapterNames())
    del core
    gc.collect()  # a core that is still there at exit may abort the interpreter
    return said


def device(settings: SegmentationSettings) -> Finding:
    """Say what the network would run on."""
    import torch

    try:
        place = choose_device(settings.device)
    except ValueError as error:
        return Finding("device", "fail", str(error), "Set analysis.segmentation.device.")
    if place.type == "cuda":
        about = torch.cuda.get_device_properties(place)
        memory = in_bytes(about.total_memory)
        return Finding("device", "ok", f"{about.name} with {memory}")
    if place.type == "mps":
        return Finding("device", "ok", "the GPU of this Mac")
    found = f"no GPU in use: {os.cpu_count()} cores of the CPU"
    if settings.model == STARTER:
        return Finding("device", "ok", f"{found}, enough for the starter")
    return Finding(
        "device",
        "warn",
        found,
        "SAMCell wants a GPU; the starter runs on any computer.",
    )
