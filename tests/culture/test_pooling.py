from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from samcell_live.culture.pooling import pool_counts
from samcell_live.culture.trend import FloatArray

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)


@given(counts=hnp.arrays(np.float64, SHAPES, elements=st.integers(0, 500)))
def test_nothing_missing_is_the_plain_sum(counts: FloatArray) -> None:
    np.testing.assert_allclose(pool_counts(counts), counts.sum(axis=0))


@given(shape=SHAPES, gaps=st.data(), growth=st.floats(1.01, 2), seed=st.integers(0, 99))
def test_common_growth_is_seen_through_any_gaps(
    shape: tuple[int, int], gaps: st.DataObject, growth: float, seed: int
) -> None:
    start = np.random.default_rng(seed).uniform(10, 500, (shape[0], 1))
    counts = start * growth ** np.arange(shape[1])
    missing = gaps.draw(hnp.arrays(np.bool_, shape))
    pooled = pool_counts(np.where(missing, np.nan, counts))
    known = np.flatnonzero(np.isfinite(pooled))
    level = pooled[known] / growth**known
    np.testing.assert_allclose(level, np.broadcast_to(level[:1], level.shape))


def test_a_position_that_drops_out_does_not_look_like_death() -> None:
    counts = np.array([[100.0, 110, 121, 133.1], [900, 990, np.nan, np.nan]])
    np.testing.assert_allclose(pool_counts(counts), 1000 * 1.1 ** np.arange(4))


def test_a_scan_that_is_only_begun_does_not_look_like_death() -> None:
    counts = np.full((12, 5), 50.0)
    counts[1:, -1] = np.nan
    np.testing.assert_allclose(pool_counts(counts), 600)


def test_a_whole_scan_missing_is_unknown_and_the_next_one_goes_on() -> None:
    pooled = pool_counts([[10.0, np.nan, 40], [20, np.nan, 80]])
    np.testing.assert_allclose(pooled, [30, np.nan, 120])


def test_an_empty_dish_counts_none_and_an_unknown_one_is_unknown() -> None:
    np.testing.assert_array_equal(pool_counts([[0.0, np.nan], [0, np.nan]]), [0, np.nan])


def test_cells_that_come_after_an_empty_start_are_counted() -> None:
    np.testing.assert_allclose(pool_counts([[0, 5, 10], [0, 5, 10]]), [0.0, 10, 20])
