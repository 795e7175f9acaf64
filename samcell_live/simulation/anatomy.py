"""What each cell is made of, pixel by pixel: body, nucleus, nucleoli, granules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from samcell_live.simulation.randomness import trait
from samcell_live.simulation.textures import grain, sample, specks

if TYPE_CHECKING:
    from samcell_live.simulation.cells import Floats
    from samcell_live.simulation.scene import Scene

Map = npt.NDArray[np.float32]

RAD_PER_UM = 0.34
"""Phase delay of a micrometre of cell against medium, at 550 nm."""
VOLUME_UM3 = 1000.0
SPHERE_RAD = 4.6
"""Phase delay through the middle of a rounded cell."""
NUCLEUS_UM = 7.0
EDGE_UM = 2.0
N_NUCLEOLI = 3


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """Pixels inside cells, as (n_pixels,) arrays, with their owners' frames."""

    inside: npt.NDArray[np.bool_]
    """(height, width)."""
    owner: npt.NDArray[np.int32]
    along_um: Map
    """From the owner's centre along its heading."""
    across_um: Map
    nucleus: Map
    """Distance from the nucleus's centre over its outline's."""

    @classmethod
    def of(cls, scene: Scene) -> Anatomy:
        """Lay every pixel into the frame of its owner."""
        inside = scene.owner >= 0
        owner = scene.owner[inside]
        y_um, x_um = scene.field.axes_um()
        rows, columns = np.nonzero(inside)
        cells = scene.cells
        dy = (y_um[rows] - cells.y_um[owner]).astype(np.float32)
        dx = (x_um[columns] - cells.x_um[owner]).astype(np.float32)
        cos = np.cos(cells.heading_rad).astype(np.float32)[owner]
        sin = np.sin(cells.heading_rad).astype(np.float32)[owner]
        along_um, across_um = cos * dx + sin * dy, cos * dy - sin * dx
        radius_um = nucleus_radius_um(scene)
        offset_um = (
            (trait(cells.identity, 200) - 0.5) * 0.4 * np.sqrt(cells.area_um2 / np.pi)
        )
        offset_um = offset_um * (1 - cells.roundness)
        aspect = 1 + 0.35 * trait(cells.identity, 201) * (1 - cells.roundness)
        a = (1 / (radius_um * aspect)).astype(np.float32)[owner]
        b = (aspect / radius_um).astype(np.float32)[owner]
        from_nucleus = along_um - offset_um.astype(np.float32)[owner]
        nucleus = np.hypot(from_nucleus * a, across_um * b)
        return cls(inside, owner, along_um, across_um, nucleus)

    def image(self, values: Map) -> Map:
        """Put pixel values back in their places, 0 outside."""
        out = np.zeros(self.inside.shape, np.float32)
        out[self.inside] = values
        return out


def nucleus_radius_um(scene: Scene) -> Floats:
    """Radius of each nucleus; condensed chromosomes are smaller."""
    cells = scene.cells
    flat = NUCLEUS_UM * (0.85 + 0.3 * trait(cells.identity, 202))
    limit = 0.62 * np.sqrt(cells.area_um2 / np.pi)
    return np.minimum(flat, limit) * (1 - 0.35 * cells.condensation)


def phase_rad(scene: Scene, anatomy: Anatomy) -> Map:
    """Phase delay of the light at every pixel, (height, width) in radians."""
    cells, owner = scene.cells, anatomy.owner
    depth = scene.depth[anatomy.inside]
    rival = scene.rival[anatomy.inside]
    per_cell = np.stack(
        [
            RAD_PER_UM
            * VOLUME_UM3
            / cells.area_um2
            * (0.6 + 0.8 * trait(cells.identity, 203)),
            cells.roundness,
            EDGE_UM / np.sqrt(cells.area_um2 / np.pi),
            0.5 + trait(cells.identity, 204),
        ]
    ).astype(np.float32)
    mean_rad, roundness, edge, rough = per_cell[:, owner]
    dome = 1 - depth * depth
    flat = mean_rad * (0.45 + 0.9 * dome * dome) * np.clip((1 - depth) / edge, 0, 1) ** 0.5
    sphere = SPHERE_RAD * np.sqrt(np.clip(dome, 0, 1)) * (0.8 + 0.4 * mean_rad)
    seam = 1 - 0.35 * np.exp(-(((rival - depth) / (0.6 * edge)) ** 2))
    inner = _inner_rad(anatomy, cells.identity, dome) * rough * (1 - roundness)
    body = flat * seam * (1 - roundness) + sphere * roundness
    return anatomy.image(body + inner * np.clip((1 - depth) / edge, 0, 1))


def _inner_rad(anatomy: Anatomy, identity: npt.NDArray[np.uint64], dome: Map) -> Map:
    """Texture of the cytoplasm and the nucleus; it moves with the cell."""
    shift = (trait(identity, 205) * 256).astype(np.float32)[anatomy.owner]
    across, along = anatomy.across_um + shift, anatomy.along_um + 3 * shift
    cytoplasm = 0.06 * sample(grain("cytoplasm", 1.5, 6.0), across, along)
    granules = 0.8 * dome * sample(specks("granules", 2.0, 6.0, 0.08), across, along)
    nuclear = np.clip((1.08 - anatomy.nucleus) * 6, 0, 1)
    rim = 0.05 * np.exp(-(((anatomy.nucleus - 1) / 0.13) ** 2))
    texture = cytoplasm * (1 - 0.6 * nuclear) + granules * (1 - nuclear)
    return texture + rim - 0.06 * nuclear + _nucleoli_rad(anatomy, identity)


def _nucleoli_rad(anatomy: Anatomy, identity: npt.NDArray[np.uint64]) -> Map:
    dark = np.zeros_like(anatomy.along_um)
    within = np.flatnonzero(anatomy.nucleus < 1)
    owner = anatomy.owner[within]
    along, across = anatomy.along_um[within], anatomy.across_um[within]
    for k in range(N_NUCLEOLI):
        purpose = 210 + 10 * k
        turn = 2 * np.pi * trait(identity, purpose)
        out_um = 3.6 * trait(identity, purpose + 1) ** 0.5
        size_um = 0.7 + 1.0 * trait(identity, purpose + 2)
        seen = 0.35 + 0.65 * (trait(identity, purpose + 3) > 0.3 * k)
        place = np.stack([out_um * np.cos(turn), out_um * np.sin(turn), size_um, seen])
        x, y, size, strength = place.astype(np.float32)[:, owner]
        away = ((along - x) ** 2 + (across - y) ** 2) / (size * size)
        dark[within] += 0.6 * strength * np.exp(-away)
    return dark


def fluorescence(scene: Scene, anatomy: Anatomy) -> Map:
    """Brightness of the stained nuclei, (height, width), about 1 in interphase."""
    cells, owner = scene.cells, anatomy.owner
    bright = (0.75 + 0.5 * trait(cells.identity, 240)) * (1 + 1.4 * cells.condensation)
    shift = (trait(cells.identity, 205) * 256).astype(np.float32)[owner]
    chromatin = sample(
        grain("chromatin", 1.0, 4.0),
        anatomy.across_um + shift,
        anatomy.along_um + 3 * shift,
    )
    solid = np.clip((1.05 - anatomy.nucleus) * 6, 0, 1)
    haze = 0.04 * np.exp(-((anatomy.nucleus / 2) ** 2))
    brightness = bright.astype(np.float32)[owner] * (solid * (1 + 0.12 * chromatin) + haze)
    return anatomy.image(brightness)
