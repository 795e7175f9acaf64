"""How well cells are found and outlined: the Cell Tracking Challenge's SEG and DET.

SEG and DET: M. Maska et al., "A benchmark for comparison of cell tracking algorithms",
Bioinformatics 30 (2014), and P. Matula et al., "Cell tracking accuracy measurement based
on comparison of acyclic oriented graphs", PLOS ONE 10 (2015). OP_CSB is their mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from samcell_live.records import NAN
from samcell_live.training.metrics.counts import relative_error
from samcell_live.training.metrics.overlaps import LabelImage, Overlaps, count_overlaps

SPLIT_PENALTY, MISS_PENALTY, FALSE_PENALTY = 5, 10, 1


@dataclass(frozen=True, slots=True)
class Matching:
    """How the cells of a result meet those of the reference; sums over the images.

    A result cell meets a reference cell if it covers more than half of it, so that
    each reference cell meets one at most.
    """

    n_reference: int
    n_result: int
    jaccard_sum: float
    """Over the pairs that meet."""
    n_missed: int
    """Reference cells that no result cell meets."""
    n_false: int
    """Result cells that meet no reference cell."""
    n_splits: int
    """Cuts that would separate result cells which meet several reference cells."""

    @property
    def seg(self) -> float:
        """Mean Jaccard index over the reference cells; 0 for a missed one."""
        return self.jaccard_sum / self.n_reference if self.n_reference else NAN

    @property
    def det(self) -> float:
        """1 - min(AOGM-D, AOGM-D0) / AOGM-D0; see `det`."""
        if not self.n_reference:
            return NAN
        from_nothing = MISS_PENALTY * self.n_reference
        repair = (
            SPLIT_PENALTY * self.n_splits
            + MISS_PENALTY * self.n_missed
            + FALSE_PENALTY * self.n_false
        )
        return 1 - min(repair, from_nothing) / from_nothing

    @property
    def op_csb(self) -> float:
        """(SEG + DET) / 2."""
        return (self.seg + self.det) / 2

    @property
    def count_error(self) -> float:
        """Cells found over cells there, minus 1; NaN without reference cells."""
        return relative_error(self.n_reference, self.n_result)


def match_cells(reference: LabelImage, result: LabelImage) -> Matching:
    """Compare two label images of one field.

    Parameters
    ----------
    reference, result : (height, width) integer
        0 on background; cells need not be numbered without gaps.

    Raises
    ------
    ValueError
        As `count_overlaps` does.
    """
    return match_overlaps(count_overlaps(reference, result))


def match_overlaps(overlaps: Overlaps) -> Matching:
    """Find which cells meet, and what it would cost to repair the result."""
    meet = 2 * overlaps.shared_px > overlaps.reference_px
    shared_px, union_px = overlaps.shared_px[meet], overlaps.union_px[meet]
    n_met, n_meeting = shared_px.size, int(np.unique(overlaps.result[meet]).size)
    return Matching(
        n_reference=overlaps.n_reference,
        n_result=overlaps.n_result,
        jaccard_sum=float((shared_px / union_px).sum()),
        n_missed=overlaps.n_reference - n_met,
        n_false=overlaps.n_result - n_meeting,
        n_splits=n_met - n_meeting,
    )


def pool(matchings: Iterable[Matching]) -> Matching:
    """Add up the images of a sequence or a data set, as the challenge does."""
    found = list(matchings)
    sums = {f.name: sum(getattr(one, f.name) for one in found) for f in fields(Matching)}
    return Matching(**sums)


def seg(reference: LabelImage, result: LabelImage) -> float:
    """Segmentation accuracy SEG, 0 to 1.

    The mean over reference cells R of the Jaccard index |R and S| / |R or S| with the
    result cell S for which |R and S| > |R| / 2, or 0 where there is none. NaN without
    reference cells.

    Examples
    --------
    >>> seg(np.array([[1, 1, 1, 0]]), np.array([[0, 7, 7, 7]]))
    0.5
    """
    return match_cells(reference, result).seg


def det(reference: LabelImage, result: LabelImage) -> float:
    """Detection accuracy DET, 0 to 1.

    1 - min(AOGM-D, AOGM-D0) / AOGM-D0 with AOGM-D = 5 NS + 10 FN + 1 FP, the price of
    repairing the result by splitting (NS), adding (FN) and deleting (FP) cells, and
    AOGM-D0 = 10 |R|, that of starting from nothing. NaN without reference cells.

    Examples
    --------
    >>> det(np.array([[1, 1, 0, 2]]), np.array([[1, 1, 0, 0]]))
    0.5
    """
    return match_cells(reference, result).det


def op_csb(reference: LabelImage, result: LabelImage) -> float:
    """Overall performance of the cell segmentation benchmark, (SEG + DET) / 2."""
    return match_cells(reference, result).op_csb
