"""Which pairs of thresholds are tried."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Self

LOWEST, HIGHEST = 0.05, 0.9
"""What the paper searched, for either threshold."""


class Pair(NamedTuple):
    """One choice of both thresholds."""

    peak: float
    fill: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Thresholds to try: every fill with every peak that is not below it.

    Raises
    ------
    ValueError
        If they do not rise, leave [0, 1], or no fill is at most the highest peak.
    """

    peaks: tuple[float, ...]
    fills: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, values in (("peak", self.peaks), ("fill", self.fills)):
            rises = all(low < high for low, high in pairwise(values))
            if not values or not rises or values[0] < 0 or values[-1] > 1:
                raise ValueError(
                    f"The {name} thresholds to try are {values}; give at least one, rising "
                    "from 0 at least to 1 at most."
                )
        if not self.pairs:
            raise ValueError(
                f"The lowest fill is {self.fills[0]}, above all peaks up to "
                f"{self.peaks[-1]}. A cell grows from peak down to fill."
            )

    @classmethod
    def even(cls, step: float) -> Self:
        """Both thresholds from `LOWEST` to `HIGHEST`.

        Raises
        ------
        ValueError
            If the step leaves fewer than two, or is below a thousandth.
        """
        if not 0.001 <= step <= HIGHEST - LOWEST:
            raise ValueError(
                f"The step between thresholds is {step}; it must be from 0.001 to "
                f"{HIGHEST - LOWEST:g}."
            )
        n = int((HIGHEST - LOWEST) / step + 1e-9) + 1
        values = tuple(round(LOWEST + i * step, 6) for i in range(n))
        return cls(values, values)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All pairs, peak by peak."""
        return tuple(
            Pair(peak, fill) for peak in self.peaks for fill in self.fills_of(peak)
        )

    def fills_of(self, peak: float) -> tuple[float, ...]:
        """Fills to try with a peak."""
        return tuple(fill for fill in self.fills if fill <= peak)
