"""What is in the image besides cells: uneven light, dust on the optics, debris."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from samcell_live.simulation.randomness import stream
from samcell_live.simulation.textures import PERIOD_UM, sample, specks

if TYPE_CHECKING:
    from samcell_live.simulation.arrays import Map
    from samcell_live.simulation.field import Field

N_DUST = 6


@lru_cache(maxsize=4)
def illumination(seed: int, shape_px: tuple[int, int]) -> Map:
    """Light on the camera, (height, width), 1 on average: the microscope's, for ever.

    It is tilted, falls off to the sides, and carries faint rings of dust out of focus.
    The array is shared: do not write into it.
    """
    rng = stream("illumination", seed)
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in shape_px)
    y = y[:, None]
    middle_y, middle_x = rng.uniform(-0.4, 0.4, 2)
    tilt_y, tilt_x = rng.uniform(-0.03, 0.03, 2)
    light = 1 - 0.06 * ((y - middle_y) ** 2 + (x - middle_x) ** 2) + tilt_y * y + tilt_x * x
    for _ in range(N_DUST):
        distance = np.hypot(y - rng.uniform(-1, 1), x - rng.uniform(-1, 1))
        ring = (distance - rng.uniform(0.03, 0.12)) / rng.uniform(0.008, 0.03)
        light = light + rng.uniform(-0.03, 0.015) * np.exp(-(ring**2))
    light = np.asarray(light / light.mean(), np.float32)
    light.setflags(write=False)
    return light


def debris_rad(field: Field, seed: int) -> Map:
    """Phase delay of what lies on the floor, (height, width) in radians."""
    crumbs = _strewn(specks("crumbs", 2.4, 9.0, 0.02), field, seed, 1.0)
    heaps = _strewn(specks("heaps", 9.0, 40.0, 0.06), field, seed, 0.61)
    dirt = _strewn(specks("dirt", 2.0, 8.0, 0.35), field, seed, 1.2)
    return np.asarray(0.4 * crumbs + np.minimum(3 * heaps, 1) * dirt, np.float32)


def _strewn(texture: Map, field: Field, seed: int, scale: float) -> Map:
    """Lay a texture on the floor, so that neighbouring fields show it in one piece."""
    shift_um = stream("debris", seed).uniform(0, PERIOD_UM, 2)
    y_um, x_um = (
        scale * axis + (scale * middle + shift) % PERIOD_UM
        for axis, middle, shift in zip(
            field.axes_um(), (field.y_um, field.x_um), shift_um, strict=True
        )
    )
    y_um, x_um = np.broadcast_arrays(y_um[:, None], x_um)
    places = y_um.ravel().astype(np.float32), x_um.ravel().astype(np.float32)
    return sample(texture, *places).reshape(field.shape_px)
