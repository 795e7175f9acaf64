"""How many cells are found well enough: AP and F1 at thresholds of overlap.

AP = TP / (TP + FP + FN), as cell segmentation reports it: U. Schmidt et al., "Cell
detection with star-convex polygons", MICCAI 2018 (StarDist); J. C. Caicedo et al.,
"Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl", Nature
Methods 16 (2019); C. Stringer et al., "Cellpose", Nature Methods 18 (2021).

It is not the AP of COCO (T.-Y. Lin et al., ECCV 2014), which is the area under the curve
of precision over recall that confidence scores draw. Label images have no confidences,
and the two numbers must not be compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from samcell_live.records import NAN
from samcell_live.training.metrics.overlaps import LabelImage, Overlaps, count_overlaps

IOU_PERCENTS = tuple(range(50, 100, 5))
"""Thresholds of the intersection over union. Whole numbers, so that no rounding decides."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Cells found well enough; sums over the images.

    True positives (TP) are the most pairs of cells, each cell in one pair at most, whose
    intersection over union reaches the threshold.
    """

    n_reference: int
    """TP + FN."""
    n_result: int
    """TP + FP."""
    n_hits: tuple[int, ...]
    """TP at each of `IOU_PERCENTS`."""

    @property
    def average_precision(self) -> tuple[float, ...]:
        """AP at each of `IOU_PERCENTS`; see `average_precision`."""
        return tuple(
            _ratio(hits, self.n_reference + self.n_result - hits) for hits in self.n_hits
        )

    @property
    def ap50(self) -> float:
        """AP at an intersection over union of 0.5."""
        return self.average_precision[0]

    @property
    def mean_ap(self) -> float:
        """Mean of AP over the thresholds 0.50, 0.55, ... 0.95."""
        return float(np.mean(self.average_precision))

    @property
    def f1(self) -> float:
        """F1 at an intersection over union of 0.5; see `f1`."""
        return _ratio(2 * self.n_hits[0], self.n_reference + self.n_result)


def count_hits(overlaps: Overlaps) -> Hits:
    """Count the true positives at every threshold.

    From 0.5 on, no assignment has to be searched: a cell can reach the threshold with two
    others only at exactly 0.5, if they are its halves. Pairs are then single or two that
    share a cell, and each such group gives one hit: cells in it minus pairs in it.
    """
    hits = []
    for percent in IOU_PERCENTS:
        # Compared as whole numbers: 0.55 has no exact float.
        close = 100 * overlaps.shared_px >= percent * overlaps.union_px
        n_cells = (
            np.unique(overlaps.reference[close]).size
            + np.unique(overlaps.result[close]).size
        )
        hits.append(n_cells - int(np.count_nonzero(close)))
    return Hits(overlaps.n_reference, overlaps.n_result, tuple(hits))


def pool_hits(hits: Iterable[Hits]) -> Hits:
    """Add up the images of a data set, so that every cell weighs the same."""
    found = list(hits)
    return Hits(
        sum(one.n_reference for one in found),
        sum(one.n_result for one in found),
        tuple(
            sum(one.n_hits[place] for one in found) for place in range(len(IOU_PERCENTS))
        ),
    )


def average_precision(reference: LabelImage, result: LabelImage) -> tuple[float, ...]:
    """AP at the thresholds 0.50, 0.55, ... 0.95, each 0 to 1.

    TP / (TP + FP + FN): hits over all cells, where a hit counts once. 0 where only one of
    the images has cells, NaN where neither has any.

    Examples
    --------
    >>> average_precision(np.array([[1, 1, 1, 2]]), np.array([[7, 7, 0, 8]]))[:5]
    (1.0, 1.0, 1.0, 1.0, 0.3333333333333333)
    """
    return count_hits(count_overlaps(reference, result)).average_precision


def f1(reference: LabelImage, result: LabelImage) -> float:
    """F1 at an intersection over union of 0.5, 0 to 1: 2 TP / (2 TP + FP + FN).

    The harmonic mean of precision TP / (TP + FP) and recall TP / (TP + FN). 0 where only
    one of the images has cells, NaN where neither has any.
    """
    return count_hits(count_overlaps(reference, result)).f1


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else NAN
