"""Where in its cell each pixel lies: the frame of its owner, and the nucleus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from samcell_live.simulation.randomness import trait
from samcell_live.simulation.textures import PERIOD_UM

if TYPE_CHECKING:
    from samcell_live.simulation.arrays import Floats, Map
    from samcell_live.simulation.cells import Cells
    from samcell_live.simulation.line import CellLine
    from samcell_live.simulation.scene import Scene

NUCLEUS_RADIUS_UM = 7.0


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """The pixels inside cells, (n_pixels,) each, in the frames of their owners."""

    line: CellLine
    cells: Cells
    inside: npt.NDArray[np.bool_]
    """(height, width): which pixels these are."""
    owner: npt.NDArray[np.int32]
    """Row in `cells`."""
    along_um: Map
    """From the owner's centre along its heading."""
    across_um: Map
    depth: Map
    """Distance from the owner's centre over that to its outline, 0 to 1."""
    lead: Map
    """By how much the owner is nearer than the next cell."""
    nucleus: Map
    """Distance from the nucleus's centre over that to its outline."""

    @classmethod
    def of(cls, scene: Scene) -> Anatomy:
        """Lay every pixel into the frame of its owner."""
        cells, inside = scene.cells, scene.owner >= 0
        owner = scene.owner[inside]
        y_um, x_um = scene.field.axes_um()
        rows, columns = np.nonzero(inside)
        dy = (y_um[rows] - cells.y_um[owner]).astype(np.float32)
        dx = (x_um[columns] - cells.x_um[owner]).astype(np.float32)
        cos, sin, offset_um, along, across = _per_pixel(
            owner, np.cos(cells.heading_rad), np.sin(cells.heading_rad), *_nuclei(cells)
        )
        along_um, across_um = cos * dx + sin * dy, cos * dy - sin * dx
        nucleus = np.hypot((along_um - offset_um) / along, across_um / across)
        depth, lead = scene.depth[inside], scene.lead[inside]
        return cls(
            scene.line, cells, inside, owner, along_um, across_um, depth, lead, nucleus
        )

    def spread(self, *per_cell: Floats) -> Map:
        """Give every pixel the values of its owner, (n_values, n_pixels)."""
        return _per_pixel(self.owner, *per_cell)

    def texture_places_um(self) -> tuple[Map, Map]:
        """Places of the pixels in textures that move with their cells: y, x."""
        (shift_um,) = self.spread(PERIOD_UM * trait(self.cells.identity, "texture"))
        return self.across_um + shift_um, self.along_um + 3 * shift_um

    def image(self, values: Map) -> Map:
        """Put pixels back in their places, (height, width), 0 outside cells."""
        image = np.zeros(self.inside.shape, np.float32)
        image[self.inside] = values
        return image


def _per_pixel(owner: npt.NDArray[np.int32], *per_cell: Floats) -> Map:
    return np.asarray(np.stack(per_cell), np.float32)[:, owner]


def _nuclei(cells: Cells) -> tuple[Floats, Floats, Floats]:
    """Place the nuclei: offset along the heading, half axes along and across it, in um.

    They shrink when chromosomes condense, and always fit their cells.
    """
    cell_radius_um = np.sqrt(cells.area_um2 / np.pi)
    radius_um = NUCLEUS_RADIUS_UM * (0.85 + 0.3 * trait(cells.identity, "nucleus size"))
    radius_um = np.minimum(radius_um, 0.62 * cell_radius_um) * (
        1 - 0.35 * cells.condensation
    )
    flatness = 1 - cells.roundness
    offset_um = (
        0.4 * cell_radius_um * flatness * (trait(cells.identity, "nucleus place") - 0.5)
    )
    aspect = 1 + 0.35 * flatness * trait(cells.identity, "nucleus aspect")
    return offset_um, radius_um * aspect, radius_um / aspect
