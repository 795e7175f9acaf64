"""What a search of both thresholds found: the scores of all pairs, the best, how flat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from samcell_live.training.metrics import Matching
from samcell_live.training.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samcell_live.training.tuning.grid import Grid

ANY_NEIGHBOUR = np.ones((3, 3), dtype=np.bool_)


class Plateau(NamedTuple):
    """The pairs around the best one that score nearly as well."""

    within: float
    """By how much less."""
    peaks: tuple[float, float]
    """Lowest and highest of them."""
    fills: tuple[float, float]
    share: float
    """Of all pairs that were tried."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Scores over a grid of thresholds. NaN where the fill is above the peak.

    Raises
    ------
    ValueError
        If no pair has a score, because nothing has a true cell.
    """

    name: str
    """Of the data set, or of several."""
    grid: Grid
    seg: npt.NDArray[np.float64]
    """(n_peaks, n_fills)"""
    det: npt.NDArray[np.float64]
    """(n_peaks, n_fills)"""
    own: Thresholds
    """What the model has now, and what that scores."""

    def __post_init__(self) -> None:
        if np.isnan(self.op_csb).all():
            raise ValueError(
                f"{self.name} has no labelled cell, so no thresholds can be told from "
                "others. Give images with labelled cells."
            )

    @property
    def op_csb(self) -> npt.NDArray[np.float64]:
        """(n_peaks, n_fills) mean of SEG and DET."""
        return (self.seg + self.det) / 2

    @property
    def best(self) -> Thresholds:
        """The pair with the highest OP_CSB; of equals, the one nearest to their middle."""
        equals = np.argwhere(self.op_csb == np.nanmax(self.op_csb))
        distances = np.hypot(*(equals - equals.mean(axis=0)).T)
        return self.at(*equals[int(distances.argmin())])

    def at(self, peak_number: int, fill_number: int) -> Thresholds:
        """One of the pairs, by its place on the grid."""
        return Thresholds(
            self.grid.peaks[peak_number],
            self.grid.fills[fill_number],
            float(self.op_csb[peak_number, fill_number]),
        )

    def plateau(self, within: float) -> Plateau:
        """How far one can go from the best pair and lose at most this much OP_CSB.

        What scores as well elsewhere, beyond worse pairs, is not counted.
        """
        good = self.op_csb >= self.best.op_csb - within
        parts, _ = ndimage.label(good, structure=ANY_NEIGHBOUR)
        peak_number = self.grid.peaks.index(self.best.peak)
        fill_number = self.grid.fills.index(self.best.fill)
        around = np.argwhere(parts == parts[peak_number, fill_number])
        (low_peak, low_fill), (high_peak, high_fill) = (
            around.min(axis=0),
            around.max(axis=0),
        )
        return Plateau(
            within,
            (self.grid.peaks[low_peak], self.grid.peaks[high_peak]),
            (self.grid.fills[low_fill], self.grid.fills[high_fill]),
            len(around) / len(self.grid.pairs),
        )


def make_surface(
    name: str, grid: Grid, matchings: Sequence[Matching], own: Thresholds
) -> Surface:
    """Lay the pairs' scores out on the grid.

    Parameters
    ----------
    name : str
    grid : Grid
    matchings : sequence of Matching
        For each of ``grid.pairs``.
    own : Thresholds
    """
    seg = np.full((len(grid.peaks), len(grid.fills)), np.nan)
    det = seg.copy()
    places = np.nonzero([[fill <= peak for fill in grid.fills] for peak in grid.peaks])
    seg[places] = [matching.seg for matching in matchings]
    det[places] = [matching.det for matching in matchings]
    return Surface(name, grid, seg, det, own)


def average(surfaces: Sequence[Surface]) -> Surface:
    """Mean over data sets, each weighing the same, whatever its size.

    So the paper finds its thresholds (doi 10.1371/journal.pone.0319532, S1 Appendix).
    """
    first, *_ = surfaces
    own = float(np.mean([surface.own.op_csb for surface in surfaces]))
    return Surface(
        "mean of " + ", ".join(surface.name for surface in surfaces),
        first.grid,
        np.mean([surface.seg for surface in surfaces], axis=0),
        np.mean([surface.det for surface in surfaces], axis=0),
        first.own._replace(op_csb=own),
    )
