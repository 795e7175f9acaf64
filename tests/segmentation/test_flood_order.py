"""Pixels in the order of their heights, and where these are equal of their places."""

from __future__ import annotations

import numpy as np
import pytest

from samcell_live.segmentation.flood_layout import HEIGHT_SHIFT
from samcell_live.segmentation.flood_order import FEW, from_the_highest, sort_keys


@pytest.mark.parametrize("n_pixels", [0, 1, FEW - 1, FEW, 20_000])
@pytest.mark.parametrize("n_heights", [1, 3, 2**32])
def test_keys_come_in_ascending_order(n_pixels: int, n_heights: int) -> None:
    rng = np.random.default_rng(n_pixels)
    heights = rng.integers(n_heights, size=n_pixels, dtype=np.uint64)
    keys = heights << HEIGHT_SHIFT | np.arange(n_pixels, dtype=np.uint64)
    sorted_keys = np.sort(keys)

    sort_keys(keys, np.empty(n_pixels + 5, np.uint64))

    np.testing.assert_array_equal(keys, sorted_keys)


@pytest.mark.parametrize("n_heights", [1, 3, 2**20])
def test_heights_go_from_the_highest_to_the_lowest(n_heights: int) -> None:
    rng = np.random.default_rng(n_heights)
    heights = (rng.integers(n_heights, size=20_000) / n_heights).astype(np.float32)

    order = from_the_highest(heights)

    np.testing.assert_array_equal(order, np.argsort(-heights, kind="stable"))
