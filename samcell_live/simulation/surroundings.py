"""What is in the image besides cells: uneven light, dust on the optics, debris on the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from samcell_live.simulation.randomness import stream
from samcell_live.simulation.textures import sample, specks

if TYPE_CHECKING:
    from samcell_live.simulation.scene import Field

Map = npt.NDArray[np.float32]


def illumination(seed: int, shape_px: tuple[int, int]) -> Map:
    """Light on the camera, (height, width), 1 on average: the microscope's own, never changing."""
    rng = stream("illumination", seed)
    height, width = shape_px
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    middle_y, middle_x = rng.uniform(-0.4, 0.4, 2)
    tilt_y, tilt_x = rng.uniform(-0.03, 0.03, 2)
    fall = 0.06 * ((y - middle_y) ** 2 + (x - middle_x) ** 2)
    light = 1 - fall + tilt_y * y + tilt_x * x
    for _ in range(6):
        light = light - _ring(rng, y, x)
    return np.asarray(light / light.mean(), np.float32)


def _ring(rng: np.random.Generator, y: Map, x: Map) -> Map:
    """Out-of-focus dust: a faint ring."""
    middle_y, middle_x = rng.uniform(-1, 1, 2)
    radius, width = rng.uniform(0.03, 0.12), rng.uniform(0.008, 0.03)
    distance = np.hypot(y - middle_y, x - middle_x)
    return np.asarray(
        rng.uniform(-0.015, 0.03) * np.exp(-(((distance - radius) / width) ** 2))
    )


def debris_rad(field: Field, seed: int) -> Map:
    """Phase delay of specks that lie on the floor, (height, width) in radians."""
    y_um, x_um = field.axes_um()
    rng = stream("debris", seed)
    offset_y, offset_x = rng.uniform(0, 256, 2)
    y, x = np.meshgrid(
        y_um + field.y_um + offset_y, x_um + field.x_um + offset_x, indexing="ij"
    )
    places = y.ravel().astype(np.float32), x.ravel().astype(np.float32)
    crumbs = sample(specks("crumbs", 1.6, 5.0, 0.012), *places)
    heaps = sample(specks("heaps", 6.0, 25.0, 0.05), 0.61 * places[0], 0.61 * places[1])
    return (0.35 * crumbs + 1.2 * np.sqrt(heaps) * crumbs).reshape(field.shape_px)
