"""From a useq sequence and a ready microscope to the plan of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from pymmcore_plus import CMMCorePlus
from useq import MDAEvent, MDASequence, WellPlatePlan

from samcell_live.records import FrameKey, RunShape
from samcell_live.settings import AnalysisSettings, Plane, Raw
from samcell_live.store.plan import (
    GROWTH_T,
    Channel,
    RunPlan,
    Stack,
    View,
    plate_row_name,
)

STANDARD_PLATES = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
"""(rows, columns) of 6 to 1536 wells, ANSI/SLAS."""

_CHANNEL_COLORS = ("FFFFFF", "00FFFF", "FF00FF", "FFFF00", "00FF00", "FF8000")


def plan_run(
    sequence: MDASequence | None,
    camera: Mapping[str, Any],
    *,
    seen: Sequence[MDAEvent] = (),
    name: str,
    source: Literal["simulated", "microscope"],
    analysis: AnalysisSettings,
    raw: Raw = "keep",
    bits: int | None = None,
    pixel_size_um: float | None = None,
    time_scale: float = 1.0,
    plate: tuple[int, int] | None = None,
    settings: Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
) -> tuple[RunPlan, list[FrameKey]]:
    """Plan a run from its sequence or, of unknown length, from its first frames.

    Parameters
    ----------
    sequence : useq.MDASequence or None
        What will be acquired; finite. None: that is not known.
    camera : mapping
        ``image_infos[0]`` of pymmcore-plus's summary metadata: ``plane_shape``,
        ``dtype``, ``pixel_size_um`` and, of several cameras in one,
        ``num_camera_adapter_channels``.
    seen : sequence of useq.MDAEvent
        Of a run of unknown length, an event of each place that it was seen at. They give
        the axes; time goes on for as long as frames come.
    raw : {"keep", "spill"}
        Whether raw frames stay when they are analysed.
    bits : int, optional
        Bits of the camera that carry data. By default all of the pixel type's.
    pixel_size_um : float, optional
        Overrides the microscope's own calibration.
    time_scale : float
        Seconds of the culture in a second of the sequence; 1 but in simulations.
    plate : (int, int), optional
        Rows and columns of the well plate, where wells are given. By default those of
        the sequence's well-plate plan, or of the smallest standard plate that will do.

    Returns
    -------
    plan : RunPlan
    expected : list of FrameKey
        The frames that the sequence will bring; none that are known in a run of unknown
        length.

    Raises
    ------
    ValueError
        If the microscope is not calibrated, the camera's pixels are not grey 8 or 16
        bit, the sequence brings no frames, or the channel with the cells is not in it.
    """
    size_um = calibrated(pixel_size_um or float(camera["pixel_size_um"]))
    dtype, plane = str(camera["dtype"]), tuple(camera["plane_shape"])
    if dtype not in ("uint8", "uint16") or len(plane) != 2:
        raise ValueError(
            f"The camera gives {dtype} pixels in planes of shape {plane}; a run holds grey "
            "planes of uint8 or uint16. Set the camera to grey images of 8 to 16 bits."
        )
    events = [event for event in [*(sequence or ()), *seen] if _acquires(event)]
    if not events:
        raise ValueError(
            "The sequence acquires no frames. Give it channels, positions or a time plan."
        )
    keys = [FrameKey.from_index(event.index) for event in events]
    shape = RunShape(*(1 + max(places) for places in zip(*keys, strict=True)))
    shape = replace(shape, cam=max(shape.cam, _n_cameras(camera)))
    if seen:
        shape = replace(shape, t=GROWTH_T)
    channels = _channels(events, keys)
    wells = sequence.stage_positions if sequence is not None else ()
    views = _views(wells, events, keys)
    on_plate = views[0].row is not None
    rows, columns = plate or _plate_size(wells, views) if on_plate else (None, None)
    start_s = [(event.min_start_time or 0.0) * time_scale for event in events]
    segment_z, stack = _segment_plane(shape.z, analysis.plane)
    plan = RunPlan(
        name=name,
        source=source,
        shape_tpgczcam=shape.sizes,
        is_open=bool(seen),
        height_px=plane[0],
        width_px=plane[1],
        dtype=dtype,
        bits=min(bits or 16, 8 if dtype == "uint8" else 16),
        pixel_size_um=size_um,
        raw=raw,
        views=tuple(views),
        channels=tuple(channels),
        segment_c=_segment_channel(channels, analysis.channel),
        segment_z=segment_z,
        segment_cam=analysis.camera,
        stack=stack,
        interval_s=None if seen else _interval_s(keys, start_s),
        duration_s=None if seen else max(start_s),
        plate_rows=rows,
        plate_columns=columns,
        sequence=None
        if sequence is None or seen
        else sequence.model_dump(mode="json", exclude_unset=True),
        settings=dict(settings or {}),
        versions=dict(versions or {}),
    )
    if seen:
        return plan, []
    return plan, [key._replace(cam=cam) for key in keys for cam in range(shape.cam)]


def calibrated(pixel_size_um: float) -> float:
    """Return the pixel size, or refuse to measure without one.

    Raises
    ------
    ValueError
        If it is 0, which is how Micro-Manager says that it was never calibrated.
    """
    if not pixel_size_um > 0:
        raise ValueError(
            f"The microscope's pixel size is {pixel_size_um} um, so it is not "
            "calibrated: no area or density could be given. Calibrate it in Micro-Manager "
            "(Devices > Pixel Size Calibration) or set microscope.pixel_size_um."
        )
    return pixel_size_um


def refuse_other_camera(plan: RunPlan, camera: Mapping[str, Any]) -> None:
    """See that a run can go on with the camera as it is set now.

    Raises
    ------
    ValueError
        If its frames would not fit those that the run has.
    """
    found = (str(camera["dtype"]), *camera["plane_shape"])
    wanted = (plan.dtype, plan.height_px, plan.width_px)
    if found != wanted:
        raise ValueError(
            f"The camera gives {found[0]} frames of shape {found[1:]}, but the run that is "
            f"to go on has {wanted[0]} of shape {wanted[1:]}. Set the camera's region, "
            "binning and bit depth as they were."
        )


def refuse_unknown_channels(core: CMMCorePlus, sequence: MDASequence) -> None:
    """See that every channel of a sequence is a preset of the microscope.

    pymmcore-plus only warns of a channel that it cannot set, and goes on with another.

    Raises
    ------
    ValueError
        If a channel is not there.
    """
    for channel in sequence.channels:
        presets = sorted(core.getAvailableConfigs(channel.group))
        if channel.config not in presets:
            raise ValueError(
                f"The sequence asks for the channel {channel.config!r} of the group "
                f"{channel.group!r}, which has: {', '.join(presets) or 'nothing'}. "
                "Name a preset of that group."
            )


def _acquires(event: MDAEvent) -> bool:
    return getattr(event.action, "type", "acquire_image") == "acquire_image"


def _channels(events: Sequence[MDAEvent], keys: Sequence[FrameKey]) -> list[Channel]:
    names = {
        key.c: event.channel.config if event.channel else "camera"
        for key, event in zip(keys, events, strict=True)
    }
    return [
        Channel(
            name=names.get(c, f"channel {c}"),
            color=_CHANNEL_COLORS[c % len(_CHANNEL_COLORS)],
        )
        for c in range(1 + max(names))
    ]


def _segment_channel(channels: Sequence[Channel], wanted: str | None) -> int:
    names = [channel.name for channel in channels]
    if wanted is None:
        return 0
    if wanted not in names:
        raise ValueError(
            f"analysis.channel is {wanted!r}, but the sequence has {', '.join(names)}. "
            "Name the one with the cells."
        )
    return names.index(wanted)


def _segment_plane(n_planes: int, wanted: Plane) -> tuple[int, Stack]:
    """Plane that carries the cells, and what they are looked for in."""
    if isinstance(wanted, int):
        if wanted >= n_planes:
            raise ValueError(
                f"analysis.plane is {wanted}, but the stacks of the sequence have "
                f"{n_planes} planes, counted from 0. Name one of them, or the middle."
            )
        return wanted, "plane"
    if n_planes == 1 or wanted == "middle":
        return n_planes // 2, "plane"
    return n_planes - 1, wanted


def _n_cameras(camera: Mapping[str, Any]) -> int:
    """Cameras that each event exposes at once."""
    return int(camera.get("num_camera_adapter_channels", 1))


def _views(wells: Any, events: Sequence[MDAEvent], keys: Sequence[FrameKey]) -> list[View]:
    first = {
        (key.p, key.g): event
        for key, event in zip(reversed(keys), reversed(events), strict=True)
    }
    positions = list(wells)
    n_grid = Counter(p for p, _ in first)
    fields: Counter[tuple[int, int]] = Counter()
    views = []
    for place, ((p, g), event) in enumerate(
        sorted(first.items(), key=lambda item: item[0])
    ):
        position = positions[p] if p < len(positions) else None
        well = (getattr(position, "plate_row", None), getattr(position, "plate_col", None))
        name = event.pos_name or f"Position {p + 1}"
        path = str(place)
        if well[0] is not None and well[1] is not None:
            path = f"{plate_row_name(well[0])}/{well[1] + 1}/{fields[well[0], well[1]]}"
            fields[well[0], well[1]] += 1
        views.append(
            View(
                path=path,
                name=f"{name}, tile {g + 1}" if n_grid[p] > 1 else name,
                p=p,
                g=g,
                x_um=event.x_pos,
                y_um=event.y_pos,
                row=well[0],
                column=well[1],
            )
        )
    return views


def _plate_size(wells: Any, views: Sequence[View]) -> tuple[int, int]:
    if isinstance(wells, WellPlatePlan):
        return wells.plate.rows, wells.plate.columns
    rows = 1 + max(view.row or 0 for view in views)
    columns = 1 + max(view.column or 0 for view in views)
    return next(
        (size for size in STANDARD_PLATES if rows <= size[0] and columns <= size[1]),
        (rows, columns),
    )


def _interval_s(keys: Sequence[FrameKey], start_s: Sequence[float]) -> float | None:
    first = {
        key.t: start for key, start in zip(reversed(keys), reversed(start_s), strict=True)
    }
    return first[1] - first[0] if {0, 1} <= first.keys() and first[1] > first[0] else None
