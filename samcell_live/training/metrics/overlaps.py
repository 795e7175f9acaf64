"""Which cells of two label images overlap, and by how much: what all measures rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

LabelImage: TypeAlias = npt.NDArray[np.integer[Any]]
"""(height, width): 0 on background, any positive numbers on cells."""

LABEL_BITS = 32
"""Two labels share a 64-bit code."""

Counts: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Overlaps:
    """Every pair of a reference cell and a result cell that share pixels.

    As long as there are such pairs: a few times the number of cells, never their square.
    """

    n_reference: int
    n_result: int
    reference: Counts
    """(n_pairs,) label of the reference cell."""
    result: Counts
    """(n_pairs,) label of the result cell."""
    shared_px: Counts
    """(n_pairs,) pixels that both cover."""
    reference_px: Counts
    """(n_pairs,) area of the reference cell."""
    result_px: Counts
    """(n_pairs,) area of the result cell."""
    reference_covered: float
    """Fraction of the image that reference cells cover; NaN for an image of no pixels."""
    result_covered: float

    @property
    def union_px(self) -> Counts:
        """(n_pairs,) pixels that either covers."""
        return self.reference_px + self.result_px - self.shared_px


def count_overlaps(reference: LabelImage, result: LabelImage) -> Overlaps:
    """Build the table of two label images of one field.

    Neighbouring pixels are mostly of the same pair, so only the ends of such stretches
    are sorted.

    Parameters
    ----------
    reference, result : (height, width) integer
        0 on background; cells need not be numbered without gaps.

    Raises
    ------
    ValueError
        If the shapes differ, or labels are no integers from 0 to 2**32 - 1.

    Examples
    --------
    >>> table = count_overlaps(np.array([[1, 1, 1, 0]]), np.array([[0, 7, 7, 7]]))
    >>> table.reference, table.result, table.shared_px, table.union_px
    (array([1]), array([7]), array([2]), array([4]))
    """
    if reference.shape != result.shape:
        raise ValueError(
            f"The reference is {reference.shape} and the result is {result.shape}; they "
            "are compared pixel by pixel. Give both on the same grid."
        )
    codes = _as_codes(reference) << LABEL_BITS | _as_codes(result)
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))[: codes.size]
    lengths = np.diff(starts, append=codes.size)
    pairs, which = np.unique(codes[starts], return_inverse=True)
    shared_px = _sum_by(which, lengths)
    ours, theirs = pairs >> LABEL_BITS, pairs & (2**LABEL_BITS - 1)
    reference_px, n_reference = _areas(ours, shared_px)
    result_px, n_result = _areas(theirs, shared_px)
    both = (ours != 0) & (theirs != 0)
    return Overlaps(
        n_reference=n_reference,
        n_result=n_result,
        reference=ours[both].astype(np.int64),
        result=theirs[both].astype(np.int64),
        shared_px=shared_px[both],
        reference_px=reference_px[both],
        result_px=result_px[both],
        reference_covered=_fraction(shared_px[ours != 0], codes.size),
        result_covered=_fraction(shared_px[theirs != 0], codes.size),
    )


def _as_codes(labels: LabelImage) -> npt.NDArray[np.uint64]:
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"A label image has {labels.dtype} pixels, but cells are numbered with "
            "integers. Convert it."
        )
    low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
    if low < 0 or high >= 2**LABEL_BITS:
        raise ValueError(
            f"Labels go from {low} to {high}, but must be 0 on background and below "
            f"2**{LABEL_BITS}. Number the cells anew."
        )
    return labels.ravel().astype(np.uint64)


def _areas(labels: npt.NDArray[np.uint64], shared_px: Counts) -> tuple[Counts, int]:
    """Area of each pair's own cell, (n_pairs,), and the number of cells."""
    numbers, which = np.unique(labels, return_inverse=True)
    return _sum_by(which, shared_px)[which], int(np.count_nonzero(numbers))


def _sum_by(which: npt.NDArray[np.intp], numbers: Counts) -> Counts:
    """Sum numbers that belong together; exact, as an image has fewer than 2**53 pixels."""
    return np.bincount(which, weights=numbers).astype(np.int64)


def _fraction(pixels: Counts, n_pixels: int) -> float:
    return float(pixels.sum() / n_pixels) if n_pixels else float("nan")
