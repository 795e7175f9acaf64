"""Images of a simulated culture, and the truth about them.

Everything here is a pure function: the same culture, place, hour and optics give the
same image bit for bit, whatever was asked before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from samcell_live.simulation.anatomy import Anatomy, fluorescence, phase_rad
from samcell_live.simulation.optics import focused, phase_contrast
from samcell_live.simulation.randomness import stream
from samcell_live.simulation.scene import Field, look
from samcell_live.simulation.surroundings import debris_rad, illumination

if TYPE_CHECKING:
    from samcell_live.records import Labels, Pixels
    from samcell_live.simulation.culture import Culture

Channel = Literal["phase", "nuclei"]

MARGIN_UM = 18.0
"""Seen around the field, so that halos come in from outside."""
LEVEL = {"phase": 0.46, "nuclei": 0.35}
"""Fraction of the camera's range that empty medium, or a nucleus, fills..."""
EXPOSURE_MS = {"phase": 10.0, "nuclei": 50.0}
"""...at this exposure."""
FULL_WELL_ELECTRONS = 30000.0
READ_NOISE_ELECTRONS = 6.0
OFFSET = 0.006
"""Counts of a dark camera over its range."""


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
) -> Pixels:
    """Photograph a culture.

    Parameters
    ----------
    culture : Culture
        The cells.
    x_um, y_um, z_um : float
        Stage position of the middle of the field; the focal plane is at z = 0.
    hours : float
        Culture time since seeding, at least 0.
    shape_px : (height, width)
        Size of the image.
    pixel_size_um : float
        Size of a pixel in the sample.
    channel : {"phase", "nuclei"}
        Phase contrast, or fluorescence of stained nuclei.
    exposure_ms : float, optional
        Counts grow with it; by default the channel's usual one.
    bits : {12, 16}
        Depth of the camera.

    Returns
    -------
    (height, width) uint16
        Camera counts, below ``2**bits``.

    Raises
    ------
    ValueError
        If the channel is unknown, the field is empty or the hour is negative.
    """
    if channel not in LEVEL:
        raise ValueError(
            f"There is no channel {channel!r} here; choose from {list(LEVEL)}."
        )
    exposure_ms = EXPOSURE_MS[channel] if exposure_ms is None else exposure_ms
    field = Field(x_um, y_um, hours, shape_px, pixel_size_um)
    light = _phase_light if channel == "phase" else _nuclei_light
    bright = light(culture, field, z_um) * np.float32(
        LEVEL[channel] * exposure_ms / EXPOSURE_MS[channel]
    )
    rng = stream(
        "noise", culture.seed, channel, x_um, y_um, z_um, hours, pixel_size_um, exposure_ms
    )
    return _camera(bright, rng, bits)


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

    Returns
    -------
    (height, width) int32
        0 on the floor, 1..n elsewhere with no gaps. Touching cells share a border.

    Raises
    ------
    ValueError
        If the field is empty or the hour is negative.
    """
    owner = look(culture, Field(x_um, y_um, hours, shape_px, pixel_size_um)).owner
    seen = np.zeros(owner.max() + 2, np.int32)
    seen[owner.ravel() + 1] = 1
    seen[0] = 0
    return np.asarray(np.cumsum(seen, dtype=np.int32) * seen, np.int32)[owner + 1]


def true_count(labels: Labels) -> int:
    """Count the cells of a field."""
    return int(labels.max())


def true_confluence(labels: Labels) -> float:
    """Fraction of a field that cells cover, 0 to 1."""
    return float(np.mean(labels > 0))


def _phase_light(culture: Culture, field: Field, z_um: float) -> npt.NDArray[np.float32]:
    margin_px = math.ceil(MARGIN_UM / field.pixel_size_um)
    wide = field.widened(margin_px)
    scene = look(culture, wide)
    delay_rad = phase_rad(scene, Anatomy.of(scene))
    delay_rad = delay_rad + debris_rad(wide, culture.seed) * (scene.owner < 0)
    image = phase_contrast(
        focused(delay_rad, 0.0, field.pixel_size_um), field.pixel_size_um
    )
    image = focused(image, z_um, field.pixel_size_um)[
        margin_px:-margin_px, margin_px:-margin_px
    ]
    return image * illumination(culture.seed, field.shape_px)


def _nuclei_light(culture: Culture, field: Field, z_um: float) -> npt.NDArray[np.float32]:
    margin_px = math.ceil(MARGIN_UM / field.pixel_size_um)
    scene = look(culture, field.widened(margin_px))
    glow = focused(fluorescence(scene, Anatomy.of(scene)), z_um, field.pixel_size_um)
    glow = glow[margin_px:-margin_px, margin_px:-margin_px] + np.float32(0.06)
    return glow * illumination(culture.seed, field.shape_px)


def _camera(
    light: npt.NDArray[np.float32], rng: np.random.Generator, bits: Literal[12, 16]
) -> Pixels:
    """Turn light, as a fraction of the camera's range, into noisy counts."""
    electrons = np.maximum(light, 0) * np.float32(FULL_WELL_ELECTRONS)
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    electrons += noise * np.sqrt(electrons + np.float32(READ_NOISE_ELECTRONS**2))
    top = 2**bits - 1
    counts = (electrons / np.float32(FULL_WELL_ELECTRONS) + np.float32(OFFSET)) * top
    return np.asarray(np.rint(np.clip(counts, 0, top)), np.uint16)
