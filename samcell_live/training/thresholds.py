"""The two thresholds of the watershed, chosen among a few at the end of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from samcell_live.training.tuning.grid import Grid
from samcell_live.training.tuning.matching import match_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samcell_live.records import DistanceMap, Labels

PEAKS = (0.36, 0.42, 0.48, 0.54, 0.6)
FILLS = (0.04, 0.06, 0.08, 0.11, 0.15)


class Example(NamedTuple):
    """A predicted distance map and the truth behind it."""

    distance: DistanceMap
    labels: Labels
    weight: float = 1.0


class Thresholds(NamedTuple):
    """A choice of both thresholds, and what it scored."""

    peak: float
    fill: float
    op_csb: float = float("nan")


def tune_thresholds(examples: Sequence[Example]) -> Thresholds:
    """Find the pair of `PEAKS` and `FILLS` with the best weighted mean OP_CSB.

    Parameters
    ----------
    examples : sequence of Example
        Those without cells have no OP_CSB and are left out.

    Returns
    -------
    Thresholds
        Of equals the first: the lowest peak, then the lowest fill.

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
    scores = [
        [matching.op_csb for matching in match_grid(example.distance, example.labels, grid)]
        for example in useful
    ]
    means = np.average(scores, axis=0, weights=[example.weight for example in useful])
    best = int(means.argmax())
    return Thresholds(*grid.pairs[best], float(means[best]))
