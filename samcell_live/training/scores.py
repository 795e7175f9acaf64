"""How well labels fit the truth, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from samcell_live.training.metrics import match_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samcell_live.records import Labels


class FieldScore(NamedTuple):
    """One segmented field against its truth."""

    name: str
    seg: float
    """How well cells overlap, 0 to 1; NaN without true cells, like the next two."""
    det: float
    """How well cells are found, 0 to 1."""
    op_csb: float
    """Mean of the two."""
    true_cell_count: int
    cell_count: int
    true_confluence: float
    confluence: float

    @property
    def confluence_error(self) -> float:
        """Found minus true confluence, as a fraction of the field."""
        return self.confluence - self.true_confluence

    @property
    def count_error(self) -> float:
        """Found minus true count, over the true one; NaN without true cells."""
        if self.true_cell_count == 0:
            return float("nan")
        return (self.cell_count - self.true_cell_count) / self.true_cell_count


def score_field(name: str, reference: Labels, result: Labels) -> FieldScore:
    """Score one field.

    Parameters
    ----------
    name : str
    reference, result : (height, width) int32
        Truth and segmentation.
    """
    matching = match_cells(reference, result)
    return FieldScore(
        name=name,
        seg=matching.seg,
        det=matching.det,
        op_csb=matching.op_csb,
        true_cell_count=matching.n_reference,
        cell_count=matching.n_result,
        true_confluence=float((reference > 0).mean()),
        confluence=float((result > 0).mean()),
    )


def mean_op_csb(scores: Sequence[FieldScore]) -> float:
    """Mean over the fields that have true cells; NaN if none has."""
    known = [score.op_csb for score in scores if not np.isnan(score.op_csb)]
    return float(np.mean(known)) if known else float("nan")
