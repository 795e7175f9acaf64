"""How well cells are found and outlined: the Cell Tracking Challenge's SEG and DET.

SEG and DET: M. Maska et al., "A benchmark for comparison of cell tracking algorithms",
Bioinformatics 30 (2014), and P. Matula et al., "Cell tracking accuracy measurement based
on comparison of acyclic oriented graphs", PLOS ONE 10 (2015). OP_CSB is their mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from samcell_live.records import NAN

LabelImage = npt.NDArray[np.integer]
"""(height, width): 0 on background, any positive numbers on cells."""

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
        """Cells found over cells there, minus 1."""
        return self.n_result / self.n_reference - 1 if self.n_reference else NAN


def match_cells(reference: LabelImage, result: LabelImage) -> Matching:
    """Compare two label images of one field.

    Parameters
    ----------
    reference, result : (height, width) integer
        0 on background; cells need not be numbered without gaps.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if reference.shape != result.shape:
        raise ValueError(
            f"The reference is {reference.shape} and the result is {result.shape}; they "
            "are compared pixel by pixel. Give both on the same grid."
        )
    areas_reference, areas_result = _areas(reference), _areas(result)
    n_reference = int(np.count_nonzero(areas_reference))
    n_result = int(np.count_nonzero(areas_result))
    ours, theirs, shared = _overlaps(reference, result)
    meet = 2 * shared > areas_reference[ours]
    ours, theirs, shared = ours[meet], theirs[meet], shared[meet]
    union = areas_reference[ours] + areas_result[theirs] - shared
    n_met = int(np.unique(theirs).size)
    return Matching(
        n_reference=n_reference,
        n_result=n_result,
        jaccard_sum=float((shared / union).sum()),
        n_missed=n_reference - ours.size,
        n_false=n_result - n_met,
        n_splits=ours.size - n_met,
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


def count_error(reference: LabelImage, result: LabelImage) -> float:
    """Relative error of the cell count: -0.1 for 90 cells of 100; NaN for 0 cells."""
    return match_cells(reference, result).count_error


def confluence_error(reference: LabelImage, result: LabelImage) -> float:
    """Covered fraction of the result minus that of the reference: 0.02 is 2 points."""
    return float(np.mean(result != 0) - np.mean(reference != 0))


def _areas(labels: LabelImage) -> npt.NDArray[np.int64]:
    """Pixels of every label, by label; 0 where a label is not used, and for background."""
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return areas.astype(np.int64)


def _overlaps(
    reference: LabelImage, result: LabelImage
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of cells that share pixels: reference label, result label, pixels shared."""
    both = (reference != 0) & (result != 0)
    width = int(result.max(initial=0)) + 1
    codes = reference[both].astype(np.int64) * width + result[both]
    pairs, shared = np.unique(codes, return_counts=True)
    ours, theirs = np.divmod(pairs, width)
    return ours, theirs, shared.astype(np.int64)
