"""The thresholds of the watershed, chosen among a few at the end of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from samcell_live.training.tuning.grid import Grid
from samcell_live.training.tuning.matching import match_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samcell_live.records import DistanceMap, Labels

PEAKS = (0.25, 0.3, 0.36, 0.42, 0.48, 0.54, 0.6)
FILLS = (0.04, 0.06, 0.08, 0.11, 0.15)
REGIONS_ONLY = (0.0,)
"""The paper's way to seed a cell."""
PROMINENCES = (*REGIONS_ONLY, 0.15, 0.2, 0.25, 0.3)


class Example(NamedTuple):
    """A predicted distance map and the truth behind it."""

    distance: DistanceMap
    labels: Labels
    weight: float = 1.0


class Thresholds(NamedTuple):
    """A choice of thresholds, and what it scored."""

    peak: float
    fill: float
    op_csb: float = float("nan")
    prominence: float = 0.0


def tune_thresholds(
    examples: Sequence[Example], prominences: Sequence[float] = REGIONS_ONLY
) -> Thresholds:
    """Find those of `PEAKS` and `FILLS` with the best weighted mean OP_CSB.

    Parameters
    ----------
    examples : sequence of Example
        Those without cells have no OP_CSB and are left out.
    prominences : sequence of float
        To try with each pair.

    Returns
    -------
    Thresholds
        Of equals the first: of the first prominence, with the lowest peak and fill.

    Raises
    ------
    ValueError
        If no example has a cell.
    """
    useful = [example for example in examples if example.labels.any()]
    if not useful:
        raise ValueError(
            f"None of the {len(examples)} fields to tune the thresholds on has a cell. "
            "Give fields with labelled cells."
        )
    grid = Grid(PEAKS, FILLS)
    weights = [example.weight for example in useful]
    choices = []
    for prominence in prominences:
        scores = [
            [one.op_csb for one in match_grid(distance, labels, grid, prominence)]
            for distance, labels, _ in useful
        ]
        means = np.average(scores, axis=0, weights=weights)
        choices += [
            Thresholds(*pair, float(mean), prominence)
            for pair, mean in zip(grid.pairs, means, strict=True)
        ]
    return max(choices, key=lambda choice: choice.op_csb)
