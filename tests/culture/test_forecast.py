from __future__ import annotations

import math

import numpy as np
import pytest

from samcell_live.culture.forecast import ConfluenceTime, time_to_confluence
from samcell_live.culture.trend import FloatArray, NotYet

DOUBLING_H = 20.0


def random_cover(hours: FloatArray, start: float = 0.05) -> FloatArray:
    """Confluence of cells that double every 20 h and lie at random."""
    density = -math.log1p(-start) * 2 ** (hours / DOUBLING_H)
    return np.asarray(-np.expm1(-density))


def forecast(answer: ConfluenceTime | NotYet) -> ConfluenceTime:
    assert isinstance(answer, ConfluenceTime), answer
    return answer


def test_randomly_placed_cells_reach_the_threshold_when_told() -> None:
    hours = np.arange(0, 40, 2.0)
    truth_h = DOUBLING_H * math.log2(math.log(0.2) / math.log(0.95))
    answer = forecast(time_to_confluence(hours, random_cover(hours), 0.8))
    np.testing.assert_allclose([answer.estimate_h, answer.low_h, answer.high_h], truth_h)
    assert not answer.reached
    assert not answer.calibrated


def test_the_range_holds_the_truth_where_the_model_is_right() -> None:
    rng = np.random.default_rng(3)
    hours = np.arange(0, 40, 1.0)
    truth_h = DOUBLING_H * math.log2(math.log(0.2) / math.log(0.95))
    held = 0
    for _ in range(300):
        noisy = random_cover(hours) * np.exp(rng.normal(0, 0.05, hours.size))
        answer = forecast(time_to_confluence(hours, noisy, 0.8))
        assert answer.low_h < answer.estimate_h < answer.high_h
        held += answer.low_h <= truth_h <= answer.high_h
    assert 0.9 <= held / 300 <= 0.985


def test_only_the_recent_past_is_carried_on() -> None:
    hours = np.arange(0, 80, 1.0)
    stalled_then_growing = np.where(hours < 40, 0.05, random_cover(hours - 40))
    answer = forecast(time_to_confluence(hours, stalled_then_growing, 0.8))
    alone = forecast(time_to_confluence(hours[-25:], stalled_then_growing[-25:], 0.8))
    assert answer == alone


def test_a_passed_threshold_is_a_fact() -> None:
    hours = np.arange(0, 120, 4.0)
    cover = random_cover(hours)
    answer = forecast(time_to_confluence(hours, cover, 0.8))
    assert answer.reached
    assert answer.estimate_h == hours[cover >= 0.8][0] == answer.low_h == answer.high_h


def test_one_bright_frame_has_not_reached_it() -> None:
    hours = np.arange(0, 20, 1.0)
    cover = random_cover(hours)
    cover[12] = 0.95
    assert not forecast(time_to_confluence(hours, cover, 0.8)).reached


def test_the_past_is_never_forecast() -> None:
    hours = np.arange(0, 20, 1.0)
    cover = np.where(np.arange(20) % 2 == 0, 0.75, 0.86) + hours / 1000
    answer = forecast(time_to_confluence(hours, cover, 0.8))
    assert answer.low_h >= hours[-1]
    assert answer.estimate_h >= hours[-1]
    assert answer.high_h == math.inf


def test_uncertain_growth_may_never_reach_it() -> None:
    rng = np.random.default_rng(1)
    hours = np.arange(0, 12, 1.0)
    noisy = 0.2 + 0.004 * hours + rng.normal(0, 0.05, 12)
    answer = forecast(time_to_confluence(hours, noisy, 0.8))
    assert answer.high_h == math.inf
    assert hours[-1] <= answer.low_h < answer.estimate_h


def test_a_culture_that_shrinks_has_no_forecast() -> None:
    hours = np.arange(0, 20, 1.0)
    assert time_to_confluence(hours, 0.5 - hours / 100, 0.8) == NotYet(
        "confluence is not rising"
    )


def test_unknown_points_are_left_out_and_too_few_are_refused() -> None:
    hours = np.arange(0, 10, 1.0)
    cover = random_cover(hours)
    cover[[0, 3, 4]] = np.nan, np.nan, 0.0
    answer = time_to_confluence(hours, cover, 0.8)
    assert isinstance(answer, NotYet)
    assert answer.reason == "needs 8 timepoints with cells; there are 7 so far"


@pytest.mark.parametrize("threshold", [0, 1, 80])
def test_a_percentage_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match=r"Give 0\.8 for 80 %"):
        time_to_confluence([0.0], [0.1], threshold)
