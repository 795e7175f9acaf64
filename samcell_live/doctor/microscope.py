"""The microscope that a configuration asks for: what its devices say of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pymmcore_plus import CMMCorePlus
from useq import MDAEvent, MDASequence

from samcell_live.doctor.findings import Finding
from samcell_live.microscope.beginning import Experiment
from samcell_live.microscope.planning import (
    calibrated,
    plan_run,
    refuse_unknown_channels,
)
from samcell_live.microscope.rule_checks import refuse_impossible_rules
from samcell_live.settings import RunSettings
from samcell_live.store.plan import RunPlan

TOWARDS = {1: "towards the sample", -1: "away from the sample"}


class Planned(NamedTuple):
    """A run that can be begun."""

    plan: RunPlan
    events: list[MDAEvent]
    """Those that acquire a frame."""
    exposure_ms: float
    """Of the camera now: for events that say none."""


def examine_microscope(
    core: CMMCorePlus, settings: RunSettings, sequence: MDASequence, plate: Any
) -> tuple[list[Finding], Planned | None]:
    """Ask a loaded microscope whether it can acquire a sequence.

    Parameters
    ----------
    core : pymmcore_plus.CMMCorePlus
        With its configuration loaded.
    settings : RunSettings
    sequence : useq.MDASequence
        Of the settings, without the z of a well plate.
    plate : (int, int) or None
        Its rows and columns, if there is one.

    Returns
    -------
    findings : list of Finding
    planned : Planned or None
        None if the run would be refused.
    """
    experiment = Experiment.from_settings(settings, plate)
    findings = [
        _devices(core),
        _pixel_size(core, experiment.pixel_size_um),
        _focus(core, sequence),
        *_stages(core, sequence),
    ]
    if not core.getCameraDevice():
        to_do = "Add one to the configuration and name it as Core, Camera."
        return [*findings, Finding("camera", "fail", "there is none", to_do)], None
    camera = _camera(core)
    findings.append(_bits(core, camera, experiment.bits))
    try:
        refuse_unknown_channels(core, sequence)
        refuse_impossible_rules(settings.rules, core, sequence, settings.analysis.channel)
        plan, keys = plan_run(
            sequence,
            camera,
            name=experiment.name,
            source=experiment.source,
            analysis=experiment.analysis,
            bits=experiment.bits,
            pixel_size_um=experiment.pixel_size_um,
            plate=plate,
        )
    except ValueError as error:
        return [*findings, Finding("sequence", "fail", str(error))], None
    shape = plan.shape
    axes = {"timepoints": shape.t, "views": len(plan.views), "channels": shape.c}
    counted = ", ".join(f"{n} {axis}" for axis, n in axes.items())
    findings.append(Finding("sequence", "ok", f"{len(keys):,} frames: {counted}"))
    return findings, Planned(plan, _acquiring(sequence), core.getExposure())


def _acquiring(sequence: MDASequence) -> list[MDAEvent]:
    return [
        event
        for event in sequence
        if event.action is None or event.action.type == "acquire_image"
    ]


def _devices(core: CMMCorePlus) -> Finding:
    libraries = {
        label: core.getDeviceLibrary(label)
        for label in core.getLoadedDevices()
        if label != "Core"
    }
    listed = ", ".join(f"{label} ({library})" for label, library in libraries.items())
    return Finding("devices", "ok" if libraries else "fail", listed or "none is loaded")


def _pixel_size(core: CMMCorePlus, given_um: float | None) -> Finding:
    found_um = core.getPixelSizeUm()
    try:
        size_um = calibrated(given_um or found_um)
    except ValueError as error:
        return Finding("pixel size", "fail", str(error))
    if given_um and found_um > 0 and abs(given_um - found_um) > 0.01 * found_um:
        return Finding(
            "pixel size",
            "warn",
            f"{given_um:g} um by microscope.pixel_size_um, {found_um:g} um by the "
            "microscope's own calibration",
            "See which is right: areas go with its square.",
        )
    return Finding("pixel size", "ok", f"{size_um:g} um")


def _focus(core: CMMCorePlus, sequence: MDASequence) -> Finding:
    name, focus = "focus direction", core.getFocusDevice()
    moves = any(event.z_pos is not None for event in sequence)
    if not focus and moves:
        found = "the sequence moves the focus, but there is no focus drive"
        to_do = "Name one as Core, Focus, or leave z out of the sequence."
        return Finding(name, "fail", found, to_do)
    if not focus:
        return Finding(name, "ok", "no focus drive, and none is needed")
    direction = TOWARDS.get(int(core.getFocusDirection(focus)))
    if direction is not None:
        return Finding(name, "ok", f"{focus}: larger z moves {direction}")
    found = f"{focus} does not say which way larger z moves"
    if not moves:
        return Finding(name, "unknown", f"{found}; the sequence leaves it alone")
    return Finding(
        name,
        "warn",
        found,
        "Set it in Micro-Manager's Hardware Configuration Wizard, and try the z of the "
        "sequence by hand: it may drive the objective into the sample.",
    )


def _stages(core: CMMCorePlus, sequence: MDASequence) -> Iterator[Finding]:
    if not core.getXYStageDevice() and any(e.x_pos is not None for e in sequence):
        found = "the sequence visits positions, but there is no xy stage"
        yield Finding("stage", "fail", found, "Name one as Core, XYStage.")


def _camera(core: CMMCorePlus) -> dict[str, Any]:
    colours = core.getNumberOfComponents()
    plane = (core.getImageHeight(), core.getImageWidth())
    return {
        "plane_shape": plane if colours == 1 else (*plane, colours),
        "dtype": f"uint{8 * core.getBytesPerPixel() // colours}",
        "pixel_size_um": core.getPixelSizeUm(),
        "num_camera_adapter_channels": core.getNumberOfCameraChannels(),
    }


def _bits(core: CMMCorePlus, camera: dict[str, Any], known: int | None) -> Finding:
    label = core.getCameraDevice()
    bits = known or core.getImageBitDepth()
    height_px, width_px = camera["plane_shape"][:2]
    about = (
        f"{core.getDeviceName(label)}: {width_px} x {height_px} px, {camera['dtype']} "
        f"with {bits} bits"
    )
    if bits > int(camera["dtype"].removeprefix("uint")):
        to_do = "Set the camera's pixel type to one that holds its bits."
        return Finding("camera", "fail", about, to_do)
    return Finding("camera", "ok", about)
