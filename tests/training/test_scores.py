"""One field's score says how far it is off, and what is unknown."""

from __future__ import annotations

import math

import numpy as np
import pytest

from samcell_live.training.scores import mean_op_csb, score_field

TRUTH = np.array([[1, 1, 0, 0, 4, 4, 4, 4]], dtype=np.int32)


def test_a_perfect_result_scores_one() -> None:
    score = score_field("a", TRUTH, np.array([[2, 2, 0, 0, 1, 1, 1, 1]], dtype=np.int32))

    assert (score.seg, score.det, score.op_csb) == (1, 1, 1)
    assert score.count_error == score.confluence_error == 0


def test_errors_are_found_minus_true() -> None:
    score = score_field("a", TRUTH, np.array([[1, 1, 1, 0, 2, 2, 3, 3]], dtype=np.int32))

    assert score.count_error == pytest.approx(0.5)
    assert score.confluence_error == pytest.approx(1 / 8)


def test_without_true_cells_scores_are_unknown() -> None:
    empty = np.zeros_like(TRUTH)

    score = score_field("a", empty, TRUTH)

    assert math.isnan(score.op_csb)
    assert math.isnan(score.count_error)
    assert score.confluence_error == pytest.approx(0.75)


def test_the_mean_leaves_unknown_scores_out() -> None:
    known, unknown = score_field("a", TRUTH, TRUTH), score_field("b", 0 * TRUTH, TRUTH)

    assert mean_op_csb([known, unknown]) == 1
    assert math.isnan(mean_op_csb([unknown]))
