"""What is known of each simulated cell at one moment."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samcell_live.simulation.arrays import Floats, Identities


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Living cells, one per row of every (n_cells,) array."""

    identity: Identities
    """A number for life; daughters get new ones. Ascending within a well."""
    x_um: Floats
    y_um: Floats
    heading_rad: Floats
    """Direction of migration and of the long axis."""
    area_um2: Floats
    roundness: Floats
    """0 spread flat, 1 a sphere (freshly seeded, or in mitosis)."""
    condensation: Floats
    """How far the chromosomes are condensed, 0 to 1."""

    def __len__(self) -> int:
        return self.identity.size

    @classmethod
    def joined(cls, groups: Sequence[Cells]) -> Cells:
        """Put groups of cells one after the other."""
        return cls(
            **{
                column.name: np.concatenate(
                    [getattr(group, column.name) for group in groups]
                )
                for column in fields(cls)
            }
        )

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Cells:
        """Select some cells."""
        return Cells(
            **{column.name: getattr(self, column.name)[rows] for column in fields(self)}
        )

    def moved_to(self, x_um: Floats, y_um: Floats) -> Cells:
        """Put the cells elsewhere."""
        return replace(self, x_um=x_um, y_um=y_um)

    def towards(self, later: Cells, part: float, side_um: float) -> Cells:
        """Cells a `part` of the way to a later moment; those that divide on it stay.

        Parameters
        ----------
        later : Cells
            The same well, one step on.
        part : float
            0 now, 1 then.
        side_um : float
            Side of the well's square, whose opposite sides are joined.
        """
        place = np.searchsorted(later.identity, self.identity)
        then = later.take(np.minimum(place, len(later) - 1))
        alive = then.identity == self.identity

        def between(now: Floats, after: Floats) -> Floats:
            return np.where(alive, now + part * (after - now), now)

        def around(now: Floats, after: Floats) -> Floats:
            return (
                between(now, after - side_um * np.rint((after - now) / side_um)) % side_um
            )

        return Cells(
            identity=self.identity,
            x_um=around(self.x_um, then.x_um),
            y_um=around(self.y_um, then.y_um),
            heading_rad=between(self.heading_rad, then.heading_rad),
            area_um2=between(self.area_um2, then.area_um2),
            roundness=between(self.roundness, then.roundness),
            condensation=between(self.condensation, then.condensation),
        )
