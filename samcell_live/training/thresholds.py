"""Search the two thresholds of the watershed."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from samcell_live.segmentation.watershed import split_cells
from samcell_live.training.metrics import op_csb

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
    tried = [
        Thresholds(peak, fill, _mean_op_csb(useful, peak, fill))
        for peak, fill in product(PEAKS, FILLS)
    ]
    return max(tried, key=lambda thresholds: thresholds.op_csb)


def _mean_op_csb(examples: Sequence[Example], peak: float, fill: float) -> float:
    scores = [
        op_csb(
            example.labels,
            split_cells(example.distance, peak_threshold=peak, fill_threshold=fill),
        )
        for example in examples
    ]
    return float(np.average(scores, weights=[example.weight for example in examples]))
