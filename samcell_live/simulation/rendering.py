"""Images of a simulated culture, and the truth about them.

Everything here is a pure function: the same culture, place, hour and optics give the
same image bit for bit, whatever was asked before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from samcell_live.simulation.anatomy import Anatomy
from samcell_live.simulation.field import Field
from samcell_live.simulation.optics import (
    TEN_FOLD,
    Optics,
    bright_field,
    differential_contrast,
    focused,
    phase_contrast,
)
from samcell_live.simulation.randomness import stream
from samcell_live.simulation.refraction import delay_rad
from samcell_live.simulation.scene import Scene
from samcell_live.simulation.staining import cytoplasm_glow, membrane_glow, nuclear_glow
from samcell_live.simulation.surroundings import debris_rad, illumination

if TYPE_CHECKING:
    from samcell_live.records import Labels, Pixels
    from samcell_live.simulation.arrays import Map
    from samcell_live.simulation.culture import Culture

_T = TypeVar("_T", bound=np.generic)

Channel: TypeAlias = Literal[
    "phase", "dic", "bright-field", "nuclei", "cytoplasm", "membranes"
]
CHANNELS: tuple[Channel, ...] = get_args(Channel)

TRANSMITTED = {
    "phase": phase_contrast,
    "dic": differential_contrast,
    "bright-field": bright_field,
}
STAINS = {"nuclei": nuclear_glow, "cytoplasm": cytoplasm_glow, "membranes": membrane_glow}

USUAL_EXPOSURE_MS: dict[Channel, float] = {
    channel: 10.0 if channel in TRANSMITTED else 50.0 for channel in CHANNELS
}
LEVEL: dict[Channel, float] = {
    channel: 0.48 if channel in TRANSMITTED else 0.35 for channel in CHANNELS
}
"""Part of the camera's range that empty medium or a stained cell fills at that exposure."""
MARGIN_UM = 30.0
"""Drawn around the field, so that halos and overlaps come in from outside."""
UNSTAINED = np.float32(0.06)
"""Light of the medium when something is stained."""
FULL_WELL_ELECTRONS = 24000.0
READ_NOISE_ELECTRONS = 6.0
OFFSET = 0.006
"""Part of the camera's range that it reads in the dark."""


def render_field(
    culture: Culture,
    x_um: float,
    y_um: float,
    z_um: float = 0.0,
    hours: float = 0.0,
    *,
    shape_px: tuple[int, int] = (512, 512),
    pixel_size_um: float = 0.87,
    channel: Channel = "phase",
    exposure_ms: float | None = None,
    bits: Literal[12, 16] = 12,
    optics: Optics = TEN_FOLD,
) -> Pixels:
    """Photograph a culture.

    Parameters
    ----------
    culture : Culture
        The cells.
    x_um, y_um, z_um : float
        Stage position of the middle of the field; cells are sharp at z = 0. Columns
        follow x, rows follow y.
    hours : float
        Culture time since seeding, from 0.
    shape_px : (height, width)
        Size of the image.
    pixel_size_um : float
        Size of a pixel in the sample.
    channel : {"phase", "dic", "bright-field", "nuclei", "cytoplasm", "membranes"}
        Phase contrast, differential interference contrast, bright field, or the
        fluorescence of what is stained.
    exposure_ms : float, optional
        Counts grow with it; by default the channel's usual one.
    bits : {12, 16}
        Depth of the camera.
    optics : Optics
        The objective.

    Returns
    -------
    (height, width) uint16
        Camera counts, below ``2**bits``.

    Raises
    ------
    ValueError
        If the channel is unknown, the field is empty or the culture has no such hour.
    """
    if channel not in CHANNELS:
        raise ValueError(f"There is no channel {channel!r} here; choose from {CHANNELS}.")
    exposure_ms = USUAL_EXPOSURE_MS[channel] if exposure_ms is None else exposure_ms
    field = Field(x_um, y_um, hours, shape_px, pixel_size_um)
    scene = Scene.of(culture, field.widened(_margin_px(field)))
    sharp = _light(scene, culture.seed, channel, optics)
    light = _inner(focused(sharp, z_um, pixel_size_um, optics), field)
    brightness = LEVEL[channel] * exposure_ms / USUAL_EXPOSURE_MS[channel]
    light = light * illumination(culture.seed, shape_px) * np.float32(brightness)
    moment = (x_um, y_um, z_um, hours, pixel_size_um, exposure_ms)
    return _photographed(light, stream(f"noise {channel}", culture.seed, *moment), bits)


def true_labels(
    culture: Culture,
    x_um: float,
    y_um: float,
    hours: float,
    *,
    shape_px: tuple[int, int] = (512, 512),
    pixel_size_um: float = 0.87,
) -> Labels:
    """Draw the cells of a field, those cut by its edge included.

    Parameters are those of `render_field`.

    Returns
    -------
    (height, width) int32
        0 on the floor, 1..n_cells elsewhere with no gaps. Touching cells share a border.

    Raises
    ------
    ValueError
        If the field is empty or the culture has no such hour.
    """
    field = Field(x_um, y_um, hours, shape_px, pixel_size_um)
    scene = Scene.of(culture, field.widened(_margin_px(field)))
    owner = _inner(scene.owner, field)
    seen = np.zeros(len(scene.cells) + 1, np.int32)
    seen[owner] = 1
    seen[-1] = 0  # the floor, whose owner is -1
    label = np.cumsum(seen, dtype=np.int32)
    label[-1] = 0
    return label[owner]


def true_count(labels: Labels) -> int:
    """Count the cells of a field, those cut by its edge included."""
    return int(labels.max())


def true_confluence(labels: Labels) -> float:
    """Fraction of a field that cells cover, 0 to 1."""
    return float(np.mean(labels > 0))


def _light(scene: Scene, seed: int, channel: Channel, optics: Optics) -> Map:
    anatomy = Anatomy.of(scene)
    if channel in STAINS:
        return STAINS[channel](anatomy) + UNSTAINED
    floor_rad = debris_rad(scene.field, seed) * (scene.owner < 0)
    image = TRANSMITTED[channel]
    return image(delay_rad(anatomy) + floor_rad, scene.field.pixel_size_um, optics)


def _margin_px(field: Field) -> int:
    return math.ceil(MARGIN_UM / field.pixel_size_um)


def _inner(image: npt.NDArray[_T], field: Field) -> npt.NDArray[_T]:
    """Take the margin off."""
    margin_px = _margin_px(field)
    return image[margin_px:-margin_px, margin_px:-margin_px]


def _photographed(light: Map, rng: np.random.Generator, bits: Literal[12, 16]) -> Pixels:
    """Turn light, as a part of the camera's range, into noisy counts."""
    electrons = light * np.float32(FULL_WELL_ELECTRONS)
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    electrons += noise * np.sqrt(electrons + np.float32(READ_NOISE_ELECTRONS**2))
    top = 2**bits - 1
    counts = (electrons / np.float32(FULL_WELL_ELECTRONS) + np.float32(OFFSET)) * top
    return np.asarray(np.rint(np.clip(counts, 0, top)), np.uint16)
