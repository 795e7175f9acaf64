"""The nouns that everything else is written in.

Arrays are rows before columns. Units are in the names. Unknown is NaN, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product, starmap
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint16] | npt.NDArray[np.uint8]
"""(height, width) camera counts."""

DistanceMap: TypeAlias = npt.NDArray[np.float32]
"""(height, width), unitless: 0 on background, rising to 1 at a cell's centre."""

Labels: TypeAlias = npt.NDArray[np.int32]
"""(height, width): 0 on background, 1..n_cells elsewhere, with no gaps."""

Mask: TypeAlias = npt.NDArray[np.bool_]
"""(height, width), two-valued."""

NAN = float("nan")


class FrameKey(NamedTuple):
    """Which frame of a run: its place on each axis of the acquisition.

    The axes are those of useq: time, position, grid, channel, z and camera.
    """

    t: int = 0
    p: int = 0
    g: int = 0
    c: int = 0
    z: int = 0
    cam: int = 0

    @classmethod
    def from_index(cls, index: Mapping[str, int]) -> FrameKey:
        """Read the key from a useq event's ``index``; absent axes are 0.

        Examples
        --------
        >>> FrameKey.from_index({"t": 3, "c": 1})
        FrameKey(t=3, p=0, g=0, c=1, z=0, cam=0)
        """
        return cls(**{str(axis): int(place) for axis, place in index.items()})

    def __str__(self) -> str:
        """Name the frame in a message: the axes that are not 0, time always."""
        parts = [f"t={self.t}"] + [
            f"{axis}={place}"
            for axis, place in zip(self._fields[1:], self[1:], strict=True)
            if place
        ]
        return f"frame({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class RunShape:
    """How long each axis of a run is; gives every frame its slot.

    Slots count through cameras fastest and time slowest, so that a run that
    goes on longer only adds slots at the end.
    """

    t: int = 1
    p: int = 1
    g: int = 1
    c: int = 1
    z: int = 1
    cam: int = 1

    @property
    def sizes(self) -> tuple[int, int, int, int, int, int]:
        """Length of each axis, in the order of a `FrameKey`."""
        return self.t, self.p, self.g, self.c, self.z, self.cam

    @property
    def n_slots(self) -> int:
        """Slots in all: the length of every per-frame column."""
        return math.prod(self.sizes)

    def slot(self, key: FrameKey) -> int:
        """Row of this frame in every per-frame column.

        Raises
        ------
        ValueError
            If the frame lies outside the run.
        """
        slot = 0
        for place, size in zip(key, self.sizes, strict=True):
            if not 0 <= place < size:
                raise ValueError(
                    f"{key} lies outside this run, whose axes are {self}. "
                    "Make the run's store from the sequence that is acquired."
                )
            slot = slot * size + place
        return slot

    def key(self, slot: int) -> FrameKey:
        """Undo `slot`.

        Examples
        --------
        >>> shape = RunShape(t=4, p=3, c=2)
        >>> shape.key(shape.slot(FrameKey(t=2, p=1, c=1)))
        FrameKey(t=2, p=1, g=0, c=1, z=0, cam=0)
        """
        places = []
        for size in reversed(self.sizes):
            slot, place = divmod(slot, size)
            places.append(place)
        return FrameKey(*reversed(places))

    def all_keys(self) -> Iterator[FrameKey]:
        """All frames in slot order."""
        return starmap(FrameKey, product(*map(range, self.sizes)))


class FrameRow(NamedTuple):
    """What is known of a frame besides its pixels: a line of ``samcell/frames``."""

    time_s: float = NAN
    """Wall clock when the frame arrived, seconds since 1970, UTC."""
    elapsed_s: float = NAN
    """Seconds since the experiment began, in the culture's own time; NaN if unknown."""
    stage_x_um: float = NAN
    stage_y_um: float = NAN
    stage_z_um: float = NAN
    exposure_ms: float = NAN


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One camera image, with all that is needed to read it."""

    key: FrameKey
    pixels: Pixels
    pixel_size_um: float
    """NaN in a recording without calibration."""
    row: FrameRow = FrameRow()  # noqa: RUF009 - a NamedTuple cannot change


@dataclass(frozen=True, slots=True)
class Making:
    """How a result was made; written beside every number."""

    model: str
    """Name of the model, for people."""
    weights_sha256: str
    network: str
    """``starter`` or ``samcell-vit_b`` and the like."""
    package: str
    """``samcell_live`` and its version."""
    device: str
    precision: str
    settings: Mapping[str, object]
    """The segmentation settings in force, as plain values."""


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """The cells of one image."""

    labels: Labels
    distance: DistanceMap
    making: Making


class CellRow(NamedTuple):
    """One cell of one frame: a line of the cell table.

    The names and definitions are scikit-image's ``regionprops``, calibrated;
    micrometres are NaN where the pixel size is unknown. In the store row = label, so
    row 0 (the background) is never filled.
    """

    area_px: float
    area_um2: float
    centroid_y_um: float
    centroid_x_um: float
    bbox_y0_px: float
    bbox_x0_px: float
    bbox_y1_px: float
    bbox_x1_px: float
    equivalent_diameter_um: float
    axis_major_um: float
    axis_minor_um: float
    eccentricity: float
    orientation_rad: float
    mean_counts: float
    min_counts: float
    max_counts: float
    touches_border: float
    """1 where the image's edge cuts the cell, else 0."""


class SeriesRow(NamedTuple):
    """One analysed frame: a line of the growth series.

    The first block is NaN in frames that are not segmented (other channels,
    other planes); the second is known for every frame that could be read.
    """

    confluence: float = NAN
    """Fraction of the field covered by cells, 0 to 1."""
    cell_count: float = NAN
    """Cells in the field."""
    density_per_mm2: float = NAN
    area_mean_um2: float = NAN
    area_median_um2: float = NAN
    area_sd_um2: float = NAN

    focus: float = NAN
    """Sharpness, unitless; see ``culture.quality``."""
    illumination: float = NAN
    """Darkest over brightest region of the background, 0 to 1."""
    saturated: float = NAN
    """Fraction of pixels at the top of the camera's range, 0 to 1."""
    cell_likeness: float = NAN
    """How far the labels look like a culture, 0 (test pattern, empty) to 1."""
    inference_ms: float = NAN
    """Time in the network and the watershed."""
    plane: float = NAN
    """Plane of a z-stack, from 0, in which the cells were found or measured; NaN without
    a stack, and in a projection."""
    n_planes: float = NAN
    """Planes of the stack that were there when the sharpest was sought, or all projected;
    NaN elsewhere."""


class FrameCounts(NamedTuple):
    """The account of a run.

    Always ``expected = acquired + missing`` and
    ``acquired = analysed + failed + waiting``.
    """

    expected: int
    acquired: int
    missing: int
    analysed: int
    failed: int
    waiting: int
