"""The pairs of thresholds that are tried."""

from __future__ import annotations

import pytest

from samcell_live.training.tuning.grid import HIGHEST, LOWEST, Grid


@pytest.mark.parametrize("step", [0.01, 0.05, 0.1])
def test_the_search_covers_the_range_of_the_paper(step: float) -> None:
    grid = Grid.even(step)

    assert grid.peaks[0] == grid.fills[0] == LOWEST == 0.05
    assert HIGHEST - step < grid.peaks[-1] <= HIGHEST == 0.9
    assert len(grid.peaks) == int(0.85 / step + 1.001)


def test_no_fill_is_above_its_peak() -> None:
    pairs = Grid.even(0.05).pairs

    assert len(pairs) == 18 * 19 / 2
    assert all(pair.fill <= pair.peak for pair in pairs)


@pytest.mark.parametrize("step", [0.0, 1.0, float("nan")])
def test_a_step_that_makes_no_grid_is_refused(step: float) -> None:
    with pytest.raises(ValueError, match="step between thresholds is"):
        Grid.even(step)


def test_thresholds_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValueError, match=r"peak thresholds to try are \(0.5, 0.4\)"):
        Grid((0.5, 0.4), (0.1,))


def test_a_grid_without_a_pair_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"lowest fill is 0\.6, above all peaks up to 0\.5"
    ):
        Grid((0.5,), (0.6,))
