"""What part of a culture is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from samcell_live.simulation.arrays import Floats


@dataclass(frozen=True, slots=True)
class Field:
    """A rectangle of a culture at one hour, in pixels."""

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
                f"A field of {self.shape_px} pixels of {self.pixel_size_um} um shows "
                "nothing; shape_px and pixel_size_um must be positive."
            )

    def widened(self, margin_px: int) -> Field:
        """See the same place with a margin on all sides."""
        height, width = self.shape_px
        return replace(self, shape_px=(height + 2 * margin_px, width + 2 * margin_px))

    def axes_um(self) -> tuple[Floats, Floats]:
        """Give (y, x) of the pixels' centres, relative to the middle of the field."""
        height, width = self.shape_px
        y_px, x_px = (
            np.arange(height) - (height - 1) / 2,
            np.arange(width) - (width - 1) / 2,
        )
        return y_px * self.pixel_size_um, x_px * self.pixel_size_um
