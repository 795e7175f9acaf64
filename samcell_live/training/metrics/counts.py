"""How far the two numbers that a biologist reads are off: count and confluence."""

from __future__ import annotations

from samcell_live.training.metrics.overlaps import LabelImage, count_overlaps


def count_error(reference: LabelImage, result: LabelImage) -> float:
    """Relative error of the cell count: n_result / n_reference - 1.

    -0.1 for 90 cells where there are 100; NaN where there are none.
    """
    overlaps = count_overlaps(reference, result)
    return relative_error(overlaps.n_reference, overlaps.n_result)


def confluence_error(reference: LabelImage, result: LabelImage) -> float:
    """Covered fraction of the result minus that of the reference: 0.02 is 2 points."""
    overlaps = count_overlaps(reference, result)
    return overlaps.result_covered - overlaps.reference_covered


def relative_error(true_count: float, count: float) -> float:
    """Found over true, minus 1; NaN where the truth is 0 or unknown.

    Examples
    --------
    >>> relative_error(100, 90), relative_error(0, 3)
    (-0.1, nan)
    """
    return (count - true_count) / true_count if true_count else float("nan")
