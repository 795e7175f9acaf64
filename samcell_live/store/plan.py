"""What a run is going to be: fixed before its first frame, kept in the store."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal, Self, TypeAlias

from pydantic import BaseModel, Field, model_validator

from samcell_live.records import FrameKey, RunShape
from samcell_live.settings import AnalysisSettings, Raw, SimulatedMicroscope

Stack: TypeAlias = Literal["plane", "sharpest", "max", "mean"]

GROWTH_T = 64
"""A run of unknown length grows by this many timepoints at a time."""


class View(BaseModel, frozen=True, extra="forbid"):
    """One field of view that is imaged again and again: one image of the store."""

    path: str
    """Image group: ``0``, ``1`` ... (bioformats2raw's own names), on a plate ``A/1/0``."""
    name: str
    p: int = 0
    g: int = 0
    x_um: float | None = None
    y_um: float | None = None
    row: int | None = None
    """Plate row, counted from 0; None off a plate."""
    column: int | None = None

    @property
    def well(self) -> str | None:
        """Name of the well, such as ``B4``; None off a plate.

        Examples
        --------
        >>> View(path="B/4/0", name="B4", row=1, column=3).well
        'B4'
        """
        if self.row is None or self.column is None:
            return None
        return f"{plate_row_name(self.row)}{self.column + 1}"


def plate_row_name(row: int) -> str:
    """Letters of a plate row: A to Z, then AA to AF on a 1536-well plate."""
    high, low = divmod(row, 26)
    return (chr(ord("A") + high - 1) if high else "") + chr(ord("A") + low)


class Channel(BaseModel, frozen=True, extra="forbid"):
    """One channel of the acquisition."""

    name: str
    color: str = "FFFFFF"


class RunPlan(BaseModel, frozen=True, extra="forbid"):
    """The whole shape of a run, and where its frames come from."""

    name: str
    source: Literal["simulated", "microscope", "replay"]
    shape_tpgczcam: tuple[int, int, int, int, int, int]
    is_open: bool = Field(
        False,
        description="The run has no known length: its time axis grows as frames come.",
    )
    height_px: int = Field(gt=0)
    width_px: int = Field(gt=0)
    dtype: Literal["uint8", "uint16"] = "uint16"
    bits: int = Field(16, ge=1, le=16, description="Bits of the camera that carry data.")
    pixel_size_um: float | None = Field(
        None,
        gt=0,
        description="None: a recording without calibration; its um columns are NaN.",
    )
    raw: Raw = Field(
        "keep",
        description="Raw frames stay, or are a spill that is removed once analysed.",
    )
    views: tuple[View, ...] = Field(min_length=1)
    channels: tuple[Channel, ...] = Field(min_length=1)
    segment_c: int = Field(0, ge=0, description="Channel with the cells.")
    segment_z: int = Field(0, ge=0, description="Plane with the cells.")
    segment_cam: int = Field(0, ge=0, description="Camera with the cells.")
    stack: Stack = Field(
        "plane",
        description="What is segmented of a z-stack: the plane segment_z, the sharpest, or "
        "the maximum or mean of all. The cells of a whole stack lie in its last plane.",
    )
    interval_s: float | None = Field(None, description="Planned time between scans.")
    duration_s: float | None = Field(None, description="Planned time of the last scan.")
    plate_rows: int | None = None
    plate_columns: int | None = None
    uid: str = Field(default_factory=lambda: str(uuid.uuid4()))
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    sequence: dict[str, Any] | None = Field(None, description="The useq sequence.")
    settings: dict[str, Any] = {}
    versions: dict[str, str] = {}

    @model_validator(mode="after")
    def _views_fill_the_shape(self) -> Self:
        shape = self.shape
        wanted = {(p, g) for p in range(shape.p) for g in range(shape.g)}
        found = {(view.p, view.g) for view in self.views}
        if not found <= wanted or len(found) != len(self.views):
            raise ValueError(
                f"The views are at (p, g) = {sorted(found)}, but the run has "
                f"{shape.p} positions of {shape.g} grid tiles; each needs one view."
            )
        if len(self.channels) != shape.c:
            raise ValueError(
                f"{len(self.channels)} channels are named, but the run has {shape.c}."
            )
        segmented = (self.segment_c, self.segment_z, self.segment_cam)
        sizes = (shape.c, shape.z, shape.cam)
        if any(place >= size for place, size in zip(segmented, sizes, strict=True)):
            raise ValueError(
                f"Channel {segmented[0]}, plane {segmented[1]}, camera {segmented[2]} is "
                f"to be segmented, but the run has {sizes[0]} channels, {sizes[1]} planes "
                f"and {sizes[2]} cameras, counted from 0."
            )
        return self

    @property
    def shape(self) -> RunShape:
        """Length of every axis."""
        return RunShape(*self.shape_tpgczcam)

    @cached_property
    def _view_of(self) -> dict[tuple[int, int], View]:
        return {(view.p, view.g): view for view in self.views}

    @property
    def slots_per_timepoint(self) -> int:
        """Frames of one timepoint."""
        return self.shape.n_slots // self.shape.t

    def lasting(self, n_timepoints: int) -> RunPlan:
        """Give the same run with a time axis of another length; at least 1."""
        shape = (max(1, n_timepoints), *self.shape_tpgczcam[1:])
        return self.model_copy(update={"shape_tpgczcam": shape})

    def has_place_for(self, key: FrameKey) -> bool:
        """Whether the run has this frame; one of unknown length has it at any time."""
        shape = self.shape
        return (
            (key.p, key.g) in self._view_of
            and (self.is_open or key.t < shape.t)
            and key.c < shape.c
            and key.z < shape.z
            and key.cam < shape.cam
        )

    def view(self, key: FrameKey) -> View:
        """View that a frame belongs to."""
        return self._view_of[key.p, key.g]

    @property
    def analysis(self) -> AnalysisSettings:
        """How the run is to be analysed, unless somebody asks otherwise."""
        return AnalysisSettings.model_validate(self.settings.get("analysis", {}))

    @property
    def time_scale(self) -> float:
        """Seconds of the culture in a second of the acquisition: 1 but in simulations."""
        microscope = self.settings.get("microscope", {})
        simulated = microscope.get("kind") == "simulated"
        return SimulatedMicroscope.model_validate(microscope).speed if simulated else 1.0

    @property
    def has_plate(self) -> bool:
        """Whether the views lie in the wells of a plate."""
        return self.plate_rows is not None

    @property
    def has_z(self) -> bool:
        """Whether images carry a z axis."""
        return self.shape.z > 1

    def picture_name(self, c: int, cam: int) -> str:
        """Name of a channel, and of the camera where there are several."""
        name = self.channels[c].name
        return name if self.shape.cam == 1 else f"{name} (camera {cam + 1})"

    @property
    def is_plain(self) -> bool:
        """Whether cells are looked for in every frame: one channel, plane and camera."""
        return self.shape.c == self.shape.z == self.shape.cam == 1

    def is_segmented(self, key: FrameKey) -> bool:
        """Whether cells are looked for in this frame; others are only measured."""
        wanted = (self.segment_c, self.segment_z, self.segment_cam)
        return (key.c, key.z, key.cam) == wanted

    def raw_index(self, key: FrameKey) -> tuple[int, ...]:
        """Place of a frame's plane in its view's raw array."""
        channel = key.c * self.shape.cam + key.cam
        return (key.t, channel, key.z) if self.has_z else (key.t, channel)

    def label_index(self, key: FrameKey) -> tuple[int, ...]:
        """Place of a frame's cells in its view's label array."""
        return (key.t, 0, 0) if self.has_z else (key.t, 0)
