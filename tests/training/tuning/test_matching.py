"""Sharing the flood between fills changes no score."""

from __future__ import annotations

import numpy as np
import pytest
from hilly import hills
from hypothesis import given
from hypothesis import strategies as st

from samcell_live.segmentation.watershed import split_cells
from samcell_live.training.metrics import Matching, match_cells
from samcell_live.training.tuning.grid import Grid
from samcell_live.training.tuning.matching import match_grid

SHAPE = (40, 56)


def one_by_one(
    distance: np.ndarray, labels: np.ndarray, grid: Grid, prominence: float = 0
) -> list[Matching]:
    cells = [
        split_cells(
            distance, peak_threshold=peak, fill_threshold=fill, prominence=prominence
        )
        for peak, fill in grid.pairs
    ]
    return [match_cells(labels, one) for one in cells]


@given(
    seed=st.integers(0, 10_000),
    blur_px=st.sampled_from([0.6, 1.5, 4.0]),
    truth_blur_px=st.sampled_from([1.5, 4.0]),
    prominence=st.sampled_from([0, 0.1, 0.4]),
)
def test_every_pair_scores_as_it_would_alone(
    seed: int, blur_px: float, truth_blur_px: float, prominence: float
) -> None:
    distance = hills(seed, blur_px)
    truth = split_cells(
        hills(seed + 1, truth_blur_px), peak_threshold=0.6, fill_threshold=0.4
    )
    grid = Grid((0.3, 0.45, 0.5, 0.62, 0.9), (0.05, 0.2, 0.31, 0.45, 0.6))

    matchings = match_grid(distance, truth, grid, prominence)

    assert list(matchings) == one_by_one(distance, truth, grid, prominence)


@given(seed=st.integers(0, 10_000))
def test_equal_heights_move_a_score_by_next_to_nothing(seed: int) -> None:
    steps = np.rint(hills(seed, 4.0) * 255)
    distance = np.asarray(steps / 255, dtype=np.float32)
    truth = split_cells(hills(seed + 1, 4.0), peak_threshold=0.6, fill_threshold=0.4)
    grid = Grid((0.45, 0.62), (0.05, 0.31))

    matchings = match_grid(distance, truth, grid)

    for ours, alone in zip(matchings, one_by_one(distance, truth, grid), strict=True):
        assert ours.n_result == alone.n_result
        assert ours.op_csb == pytest.approx(alone.op_csb, abs=0.02, nan_ok=True)


def test_a_hill_beyond_a_valley_is_lost_when_the_water_stops_above_the_valley() -> None:
    heights = [0.0, 0.9, 0.9, 0.9, 0.9, 0.2, 0.5, 0.5, 0.0]
    distance = np.array([heights], dtype=np.float32)
    truth = np.array([[0, 1, 1, 1, 1, 1, 1, 1, 0]])

    low, high = match_grid(distance, truth, Grid((0.6,), (0.1, 0.3)))

    assert low.seg == 1
    assert high.seg == pytest.approx(4 / 7)


def test_a_map_without_peaks_misses_every_cell() -> None:
    truth = np.array([[0, 1, 1, 2]])

    (matching,) = match_grid(np.zeros((1, 4), np.float32), truth, Grid((0.5,), (0.1,)))

    assert (matching.n_missed, matching.n_result) == (2, 0)


def test_map_and_truth_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"map is \(4, 4\) and the truth \(4, 5\)"):
        match_grid(
            np.zeros((4, 4), np.float32), np.zeros((4, 5), int), Grid((0.5,), (0.1,))
        )
