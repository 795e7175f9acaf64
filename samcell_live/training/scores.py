"""How well labels fit the truth, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samcell_live.records import NAN
from samcell_live.training.metrics import (
    Hits,
    LabelImage,
    Matching,
    count_hits,
    count_overlaps,
    match_overlaps,
)
from samcell_live.training.metrics.counts import relative_error


@dataclass(frozen=True, slots=True)
class FieldScore:
    """One segmented field against its truth. What the truth cannot tell is NaN."""

    name: str
    outlined: Matching | None
    """Against outlines: gives SEG. None without them."""
    detected: Matching | None
    """Against markers, or outlines of all cells: gives DET. None without either."""
    hits: Hits | None
    """Against outlines of all cells: gives AP and F1. None without them."""
    cell_count: int
    confluence: float
    """Covered fraction of the field, 0 to 1."""
    true_confluence: float
    """NaN without outlines of all cells."""

    @property
    def seg(self) -> float:
        """How well cells are outlined, 0 to 1; NaN without true cells."""
        return self.outlined.seg if self.outlined else NAN

    @property
    def det(self) -> float:
        """How well cells are found, 0 to 1; NaN without true cells."""
        return self.detected.det if self.detected else NAN

    @property
    def op_csb(self) -> float:
        """Mean of SEG and DET."""
        return (self.seg + self.det) / 2

    @property
    def ap50(self) -> float:
        """AP at an intersection over union of 0.5; NaN without any cells."""
        return self.hits.ap50 if self.hits else NAN

    @property
    def mean_ap(self) -> float:
        """Mean of AP over the thresholds 0.50, 0.55, ... 0.95."""
        return self.hits.mean_ap if self.hits else NAN

    @property
    def f1(self) -> float:
        """F1 at an intersection over union of 0.5; NaN without any cells."""
        return self.hits.f1 if self.hits else NAN

    @property
    def true_cell_count(self) -> float:
        """Cells there are; a whole number, or NaN if the truth leaves cells out."""
        return self.detected.n_reference if self.detected else NAN

    @property
    def count_error(self) -> float:
        """Found minus true count, over the true one; NaN without true cells."""
        return relative_error(self.true_cell_count, self.cell_count)

    @property
    def confluence_error(self) -> float:
        """Found minus true confluence, as a fraction of the field."""
        return self.confluence - self.true_confluence


def score_field(name: str, reference: LabelImage, result: LabelImage) -> FieldScore:
    """Score one field whose truth outlines every cell.

    Parameters
    ----------
    name : str
    reference, result : (height, width) integer
        Truth and segmentation.

    Raises
    ------
    ValueError
        As `count_overlaps` does.
    """
    overlaps = count_overlaps(reference, result)
    matching = match_overlaps(overlaps)
    return FieldScore(
        name=name,
        outlined=matching,
        detected=matching,
        hits=count_hits(overlaps),
        cell_count=overlaps.n_result,
        confluence=overlaps.result_covered,
        true_confluence=overlaps.reference_covered,
    )


def score_challenge_field(
    name: str,
    result: LabelImage,
    *,
    outlines: LabelImage | None = None,
    markers: LabelImage | None = None,
) -> FieldScore:
    """Score one field as the Cell Tracking Challenge does.

    SEG is measured against outlines, of which the challenge's gold truth has some cells
    only; DET and the count against markers, which every cell has. AP, F1 and confluence
    need outlines of all cells and are NaN.

    Parameters
    ----------
    name : str
    result, outlines, markers : (height, width) integer
        Segmentation; truth from the folders ``SEG`` and ``TRA``.

    Raises
    ------
    ValueError
        As `count_overlaps` does.
    """
    by_outlines = None if outlines is None else count_overlaps(outlines, result)
    by_markers = None if markers is None else count_overlaps(markers, result)
    return FieldScore(
        name=name,
        outlined=match_overlaps(by_outlines) if by_outlines else None,
        detected=match_overlaps(by_markers) if by_markers else None,
        hits=None,
        cell_count=int(np.count_nonzero(np.unique(result))),
        confluence=float(np.mean(result != 0)),
        true_confluence=NAN,
    )


def mean_known(values: Sequence[float]) -> float:
    """Mean of those that are not NaN; NaN if none is."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else NAN


def mean_op_csb(scores: Sequence[FieldScore]) -> float:
    """Mean over the fields that have true cells; NaN if none has."""
    return mean_known([score.op_csb for score in scores])
