"""The field as the objective sees it: which cell lies at each pixel, and how deep inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from samcell_live.simulation.cells import Cells, Floats
from samcell_live.simulation.outlines import N_ANGLES, outlines_um

if TYPE_CHECKING:
    from samcell_live.simulation.culture import Culture

FINE_ANGLES = 1024
PRECEDENCE_OF_ROUND = 0.6
"""Round cells sit on top of flat ones: their distances count for less."""


@dataclass(frozen=True, slots=True)
class Field:
    """What part of the culture is looked at."""

    x_um: float
    y_um: float
    hours: float
    shape_px: tuple[int, int]
    """(height, width)."""
    pixel_size_um: float

    def __post_init__(self) -> None:
        """Refuse an empty field."""
        if min(self.shape_px) < 1 or not self.pixel_size_um > 0:
            raise ValueError(
                f"A field of {self.shape_px} pixels of {self.pixel_size_um} um shows nothing; "
                "shape_px and pixel_size_um must be positive."
            )

    def widened(self, margin_px: int) -> Field:
        """See the same place with a margin on all sides."""
        height, width = self.shape_px
        shape_px = (height + 2 * margin_px, width + 2 * margin_px)
        return Field(self.x_um, self.y_um, self.hours, shape_px, self.pixel_size_um)

    def axes_um(self) -> tuple[Floats, Floats]:
        """Give (y, x) of the pixels' centres, relative to the middle of the field."""
        height, width = (
            (np.arange(n) - (n - 1) / 2) * self.pixel_size_um for n in self.shape_px
        )
        return height, width


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A field whose overlaps are settled: each pixel belongs to one cell, or to none."""

    field: Field
    cells: Cells
    owner: npt.NDArray[np.int32]
    """(height, width): row in `cells`, -1 on the floor."""
    depth: npt.NDArray[np.float32]
    """(height, width): distance from the owner's centre over its outline's, 0 to 1."""
    rival: npt.NDArray[np.float32]
    """(height, width): the same for the next cell; 1 or more outside all others."""


def look(culture: Culture, field: Field) -> Scene:
    """Find the cells of a field and settle their overlaps.

    Each pixel goes to the cell with the smallest distance from its centre, measured in
    that cell's own outline; touching cells so share a border.
    """
    y_um, x_um = field.axes_um()
    cells = culture.cells(
        field.x_um,
        field.y_um,
        field.hours,
        width_um=x_um[-1] - x_um[0],
        height_um=y_um[-1] - y_um[0],
    )
    owner = np.full(field.shape_px, -1, np.int32)
    depth = np.ones(field.shape_px, np.float32)
    rival = np.ones(field.shape_px, np.float32)
    radius_um = outlines_um(cells, field.hours)
    boxes = _boxes(cells, radius_um, y_um, x_um)
    inverse_um = (1 / _refined(radius_um)).astype(np.float32)
    precedence = 1 - (1 - PRECEDENCE_OF_ROUND) * cells.roundness
    for row, (top, bottom, left, right) in enumerate(boxes):
        if top >= bottom or left >= right:
            continue
        box = np.s_[top:bottom, left:right]
        dy = (y_um[top:bottom, None] - cells.y_um[row]).astype(np.float32)
        dx = (x_um[None, left:right] - cells.x_um[row]).astype(np.float32)
        turn = np.arctan2(dy, dx) * np.float32(FINE_ANGLES / (2 * np.pi))
        angle = np.rint(turn).astype(np.intp) % FINE_ANGLES
        distance = np.sqrt(dy * dy + dx * dx) * inverse_um[row][angle]
        ranked = np.where(distance < 1, distance * np.float32(precedence[row]), 1)
        np.minimum(rival[box], np.maximum(depth[box], ranked), out=rival[box])
        closer = ranked < depth[box]
        depth[box][closer] = ranked[closer]
        owner[box][closer] = row
    return Scene(field, cells, owner, depth, rival)


def _refined(radius_um: Floats) -> Floats:
    """Interpolate outlines to `FINE_ANGLES`."""
    fine = FINE_ANGLES // N_ANGLES
    part = np.arange(fine) / fine
    following = np.roll(radius_um, -1, axis=1)
    return np.asarray(
        radius_um[..., None] * (1 - part) + following[..., None] * part
    ).reshape(len(radius_um), FINE_ANGLES)


def _boxes(
    cells: Cells, radius_um: Floats, y_um: Floats, x_um: Floats
) -> npt.NDArray[np.intp]:
    """Bound every outline: (n_cells, 4) of top, bottom, left, right in pixels."""
    angle = np.arange(N_ANGLES) * (2 * np.pi / N_ANGLES)
    edge_y = cells.y_um[:, None] + radius_um * np.sin(angle)
    edge_x = cells.x_um[:, None] + radius_um * np.cos(angle)
    return np.stack(
        [
            np.searchsorted(y_um, edge_y.min(axis=1)),
            np.searchsorted(y_um, edge_y.max(axis=1), side="right"),
            np.searchsorted(x_um, edge_x.min(axis=1)),
            np.searchsorted(x_um, edge_x.max(axis=1), side="right"),
        ],
        axis=1,
    )
