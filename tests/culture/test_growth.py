from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.signal import lfilter

from samcell_live.culture.growth import DoublingTime, doubling_time
from samcell_live.culture.trend import FloatArray, NotYet, first_lasting


def growing(hours: npt.ArrayLike, doubling_h: float, start: float = 100.0) -> FloatArray:
    return np.asarray(start * np.exp2(np.asarray(hours) / doubling_h), dtype=np.float64)


def fitted(answer: DoublingTime | NotYet) -> DoublingTime:
    assert isinstance(answer, DoublingTime), answer
    return answer


def refused(answer: DoublingTime | NotYet) -> NotYet:
    assert isinstance(answer, NotYet), answer
    return answer


@given(
    doubling_h=st.floats(2, 100),
    start=st.floats(1, 1e5),
    step_h=st.floats(0.1, 6),
    n_points=st.integers(8, 60),
)
def test_an_exact_exponential_gives_its_doubling_time(
    doubling_h: float, start: float, step_h: float, n_points: int
) -> None:
    hours = 5.0 + step_h * np.arange(n_points)
    answer = doubling_time(hours, growing(hours, doubling_h, start))
    if 2 ** ((hours[-1] - hours[0]) / doubling_h) < 1.499:
        assert "1.5-fold" in refused(answer).reason
    elif 2 ** ((hours[-1] - hours[0]) / doubling_h) > 1.501:
        assert fitted(answer).estimate_h == pytest.approx(doubling_h, rel=1e-6)


def test_the_line_runs_through_exact_counts() -> None:
    hours = np.linspace(3, 40, 20)
    counts = growing(hours, 14)
    np.testing.assert_allclose(fitted(doubling_time(hours, counts)).count_at(hours), counts)


def test_slope_and_interval_are_those_of_ordinary_least_squares() -> None:
    hours = np.linspace(0, 30, 24)
    counts = growing(hours, 12) * np.tile([0.9, 1.1], 12)  # errors that do not last
    answer = fitted(doubling_time(hours, counts))

    design = np.column_stack([np.ones_like(hours), hours])
    solution, residual, *_ = np.linalg.lstsq(design, np.log(counts), rcond=None)
    variance = residual[0] / (hours.size - 2) * np.linalg.inv(design.T @ design)[1, 1]
    half = stats.t.ppf(0.975, hours.size - 2) * math.sqrt(variance)
    slopes = np.array([solution[1], solution[1] + half, solution[1] - half])
    found = [answer.estimate_h, answer.low_h, answer.high_h]
    np.testing.assert_allclose(found, math.log(2) / slopes)


@pytest.mark.parametrize(("lasting", "least"), [(0.0, 0.94), (0.5, 0.88), (0.8, 0.8)])
def test_the_interval_holds_the_truth_even_if_errors_last(
    lasting: float, least: float
) -> None:
    rng = np.random.default_rng(11)
    hours = np.linspace(0, 36, 40)
    held = 0
    for _ in range(300):
        error = lfilter([1], [1, -lasting], rng.normal(0, 0.1, 140))[-hours.size :]
        answer = fitted(doubling_time(hours, growing(hours, 14) * np.exp(error)))
        held += answer.low_h <= 14 <= answer.high_h
    assert least <= held / 300 < 1


def test_missing_failed_and_empty_points_are_left_out() -> None:
    hours = np.arange(24.0)
    counts = growing(hours, 8)
    counts[[2, 5]] = np.nan, 0.0
    hours[9] = np.nan
    answer = fitted(doubling_time(hours, counts))
    assert answer.n_points == 21
    assert answer.estimate_h == pytest.approx(8)


def test_the_window_ends_where_the_culture_becomes_crowded() -> None:
    hours = np.arange(60.0)
    counts = np.minimum(growing(hours, 10), growing(30.0, 10))
    confluence = counts / counts.max() * 0.75
    crowded_h = first_lasting(hours, confluence, 0.7)

    whole = fitted(doubling_time(hours, counts))
    early = fitted(doubling_time(hours, counts, confluence))
    assert early.window_end_h == crowded_h - 1
    assert early.estimate_h == pytest.approx(10)
    assert whole.estimate_h > 15


def test_one_badly_segmented_frame_does_not_end_the_window() -> None:
    hours = np.arange(20.0)
    confluence = np.full(20, 0.3)
    confluence[6] = 1.0
    answer = fitted(doubling_time(hours, growing(hours, 10), confluence))
    assert answer.window_end_h == 19


def test_seven_points_are_too_few_and_the_wait_is_told() -> None:
    hours = np.arange(7.0) * 2
    answer = refused(doubling_time(hours, growing(hours, 5)))
    assert answer.reason == "needs 8 timepoints with cells; there are 7 so far"
    assert answer.hours_more == pytest.approx(2)


def test_slow_growth_waits_until_it_is_one_and_a_half_fold() -> None:
    hours = np.arange(10.0)
    answer = refused(doubling_time(hours, growing(hours, 24)))
    assert "1.30-fold" in answer.reason
    assert answer.hours_more == pytest.approx(24 * math.log2(1.5) - 9)


def test_dying_cells_have_no_doubling_time_and_no_wait() -> None:
    hours = np.arange(10.0)
    answer = refused(doubling_time(hours, growing(hours, -5)))
    assert "0.29-fold" in answer.reason
    assert math.isnan(answer.hours_more)


@pytest.mark.parametrize("counts", [np.full(12, np.nan), np.zeros(12), np.empty(0)])
def test_no_cells_at_all_is_not_an_error(counts: FloatArray) -> None:
    answer = refused(doubling_time(np.arange(counts.size), counts))
    assert "there are 0 so far" in answer.reason
    assert math.isnan(answer.hours_more)


def test_noise_that_allows_no_growth_leaves_the_interval_open() -> None:
    hours = np.arange(8.0)
    counts = growing(hours, 10) * np.tile([0.2, 5.0], 4)
    assert fitted(doubling_time(hours, counts)).high_h == math.inf


def test_doubling_times_agree_with_the_fits_of_another_package(shared_data: Path) -> None:
    """growthcurver fitted logistics to these wells; their odds N / (K - N) double too."""
    folder = shared_data / "growth_reference"
    wells = pd.read_csv(folder / "growthdata.csv").set_index("time")
    fits = pd.read_csv(folder / "reference_fits_bgmin.csv").set_index("well")
    ratios = []
    for well, fit in fits[fits["note"].isna()].iterrows():
        full = (wells[well] - wells[well].min()).to_numpy() / fit["k"]
        odds = np.where((full > 0.1) & (full < 0.9), full / (1 - full), np.nan)
        answer = fitted(doubling_time(wells.index, odds))
        ratios.append(answer.estimate_h / fit["t_gen"])
    assert len(ratios) > 80
    assert np.median(ratios) == pytest.approx(1, abs=0.03)
