"""The best pair, and how flat the scores are around it."""

from __future__ import annotations

import numpy as np
import pytest

from samcell_live.training.thresholds import Thresholds
from samcell_live.training.tuning.grid import Grid
from samcell_live.training.tuning.surface import Surface, average

GRID = Grid((0.4, 0.5, 0.6, 0.7, 0.8), (0.1, 0.2, 0.3))
OWN = Thresholds(0.5, 0.1, 0.6)


def surface(
    scores: list[list[float]], name: str = "dishes", own: Thresholds = OWN
) -> Surface:
    values = np.array(scores)
    return Surface(name, GRID, values, values, own)


RIDGE = surface(
    [
        [0.10, 0.10, 0.10],
        [0.60, 0.795, 0.60],
        [0.60, 0.80, 0.794],
        [0.60, 0.60, 0.60],
        [0.80, 0.60, 0.60],
    ]
)


def test_of_equals_the_one_in_their_middle_is_the_best() -> None:
    scores = [[0.1] * 3, [0.1, 0.9, 0.1], [0.1, 0.9, 0.1], [0.1, 0.9, 0.1], [0.1] * 3]

    assert surface(scores).best == Thresholds(0.6, 0.2, 0.9)


def test_the_plateau_is_what_can_be_walked_without_losing_more() -> None:
    plateau = surface([*RIDGE.seg[:4].tolist(), [0.799, 0.6, 0.6]]).plateau(0.01)

    assert plateau.peaks == (0.5, 0.6)
    assert plateau.fills == (0.2, 0.3)
    assert plateau.share == 3 / 15


def test_a_smaller_loss_makes_a_smaller_plateau() -> None:
    scores = surface([*RIDGE.seg[:4].tolist(), [0.1, 0.6, 0.6]])

    assert scores.plateau(0.0055).share < scores.plateau(0.01).share


def test_in_the_mean_every_data_set_weighs_the_same() -> None:
    low, high = surface([[0.2] * 3] * 5, "a"), surface([[0.6] * 3] * 5, "b")

    together = average([low, high])

    np.testing.assert_allclose(together.op_csb, 0.4)
    assert together.name == "mean of a, b"


def test_the_models_own_scores_are_averaged_too() -> None:
    other = surface([[0.2] * 3] * 5, own=OWN._replace(op_csb=0.2))

    assert average([other, RIDGE]).own.op_csb == pytest.approx(0.4)


def test_scores_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="dishes has no labelled cell"):
        surface([[np.nan] * 3] * 5)
