"""The field as the objective sees it: whose is each pixel, and how deep inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from skimage.measure import label

from samcell_live.simulation.outlines import (
    ANGLES_RAD,
    LONGEST_UM,
    depth,
    interpolated,
    outlines_um,
)

if TYPE_CHECKING:
    from samcell_live.records import Mask
    from samcell_live.simulation.arrays import Floats, Map
    from samcell_live.simulation.cells import Cells
    from samcell_live.simulation.culture import Culture
    from samcell_live.simulation.field import Field
    from samcell_live.simulation.line import CellLine

ROUND_ON_TOP = 0.4
"""Round cells lie on flat ones: their distances count for so much less."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A field whose overlaps are settled: each pixel belongs to one cell, or to none."""

    field: Field
    line: CellLine
    cells: Cells
    owner: npt.NDArray[np.int32]
    """(height, width): row in `cells`, -1 on the floor."""
    depth: Map
    """Distance from the owner's centre over that to its outline; not for the floor."""
    lead: Map
    """By how much the owner is nearer than the next cell, in the same measure."""

    @classmethod
    def of(cls, culture: Culture, field: Field) -> Scene:
        """Find the cells of a field and give each pixel to the nearest.

        Nearness is measured in each cell's own outline, so that touching cells share a
        border and overlap nowhere; round cells lie on top of flat ones, and what is cut
        off a cell by others is left out.
        """
        y_um, x_um = field.axes_um()
        cells = culture.cells(
            field.x_um,
            field.y_um,
            field.hours,
            width_um=float(np.ptp(x_um)) + 2 * LONGEST_UM,
            height_um=float(np.ptp(y_um)) + 2 * LONGEST_UM,
        )
        radius_um = outlines_um(cells, field.hours, culture.line)
        fine_um = interpolated(radius_um)
        precedence = (1 - ROUND_ON_TOP * cells.roundness).astype(np.float32)
        ranking = _Ranking.empty(field.shape_px)
        for row, box in enumerate(_boxes(cells, radius_um, y_um, x_um)):
            dy_um = (y_um[box[0], None] - cells.y_um[row]).astype(np.float32)
            dx_um = (x_um[None, box[1]] - cells.x_um[row]).astype(np.float32)
            deep = depth(fine_um[row], dy_um, dx_um)
            ranking.enter(row, box, np.where(deep < 1, deep * precedence[row], 1))
        owner, first, second = ranking.owner, ranking.first, ranking.second
        owner[_splinters(owner)] = -1
        own_depth = first / np.append(precedence, 1)[owner]
        return cls(field, culture.line, cells, owner, own_depth, second - first)


@dataclass(frozen=True, slots=True, eq=False)
class _Ranking:
    """The nearest and the second nearest cell of every pixel; 1 is too far."""

    owner: npt.NDArray[np.int32]
    first: Map
    second: Map

    @classmethod
    def empty(cls, shape_px: tuple[int, int]) -> _Ranking:
        first, second = np.ones(shape_px, np.float32), np.ones(shape_px, np.float32)
        return cls(np.full(shape_px, -1, np.int32), first, second)

    def enter(self, row: int, box: tuple[slice, slice], rank: Map) -> None:
        """Rank one more cell in a box of pixels; on a tie the earlier cell stays."""
        first, second = self.first[box], self.second[box]
        np.minimum(second, np.maximum(first, rank), out=second)
        nearer = rank < first
        first[nearer] = rank[nearer]
        self.owner[box][nearer] = row


def _splinters(owner: npt.NDArray[np.int32]) -> Mask:
    """Find what other cells cut off: all but the largest piece of every cell."""
    piece = label(owner, background=-1, connectivity=1)
    owner_of = np.zeros(piece.max() + 1, np.int32)
    owner_of[piece] = owner
    by_size = np.argsort(np.bincount(piece.ravel()), kind="stable")
    largest = np.zeros(owner.max() + 2, np.intp)  # the last place is the floor's, -1
    largest[owner_of[by_size]] = by_size
    return np.asarray((owner >= 0) & (piece != largest[owner]))


def _boxes(
    cells: Cells, radius_um: Floats, y_um: Floats, x_um: Floats
) -> list[tuple[slice, slice]]:
    """Bound every outline by rows and columns of the field; empty where it is outside."""
    edge_y = cells.y_um[:, None] + radius_um * np.sin(ANGLES_RAD)
    edge_x = cells.x_um[:, None] + radius_um * np.cos(ANGLES_RAD)
    bounds = zip(
        np.searchsorted(y_um, edge_y.min(axis=1)),
        np.searchsorted(y_um, edge_y.max(axis=1), side="right"),
        np.searchsorted(x_um, edge_x.min(axis=1)),
        np.searchsorted(x_um, edge_x.max(axis=1), side="right"),
        strict=True,
    )
    return [np.s_[top:bottom, left:right] for top, bottom, left, right in bounds]
