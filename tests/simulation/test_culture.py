"""The culture grows as it says, and its cells are a pure function of place and hour."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samcell_live.simulation.cells import Cells
from samcell_live.simulation.culture import Culture

FIELD = {"width_um": 400.0, "height_um": 300.0}


def small(seed: int = 3, **changes: Any) -> Culture:
    return Culture(seed=seed, patch_um=400.0, **changes)


def same(one: Cells, other: Cells) -> bool:
    return (
        np.array_equal(one.identity, other.identity)
        and np.array_equal(one.x_um, other.x_um)
        and np.array_equal(one.heading_rad, other.heading_rad)
        and np.array_equal(one.area_um2, other.area_um2)
    )


def pooled_counts(hours: list[float], **changes: Any) -> list[int]:
    cultures = [Culture(seed=seed, growth_rate_spread=0.0, **changes) for seed in range(8)]
    return [sum(culture.cell_count(0, 0, hour) for culture in cultures) for hour in hours]


@pytest.mark.parametrize("doubling_time_h", [12.0, 20.0])
def test_the_count_doubles_in_the_doubling_time_while_cells_have_room(
    doubling_time_h: float,
) -> None:
    start, middle, end = pooled_counts(
        [0, doubling_time_h, 2 * doubling_time_h],
        doubling_time_h=doubling_time_h,
        seeding_density_per_mm2=80.0,
    )
    assert middle / start == pytest.approx(2, rel=0.06)
    assert end / middle == pytest.approx(2, rel=0.06)


def test_growth_levels_off_when_the_floor_is_full() -> None:
    culture = small(growth_rate_spread=0.0)
    early = culture.cell_count(0, 0, 16) / culture.cell_count(0, 0, 0)
    late = culture.cell_count(0, 0, 112) / culture.cell_count(0, 0, 96)
    assert early > 1.7
    assert 1 <= late < 1.1


def test_cells_never_vanish() -> None:
    culture = small()
    counts = [culture.cell_count(0, 0, hour) for hour in np.arange(0, 40, 0.5)]
    assert counts == sorted(counts)


def test_wells_grow_at_rates_of_their_own() -> None:
    culture = Culture(growth_rate_spread=0.25, doubling_time_h=16.0)
    times_h = [culture.true_doubling_time_h(9000.0 * column, 0.0) for column in range(6)]
    assert len(set(times_h)) == 6
    assert all(16 / 1.25 <= time_h <= 16 / 0.75 for time_h in times_h)
    assert culture.true_doubling_time_h(9000.0, 0.0) == culture.true_doubling_time_h(
        8000.0, 400.0
    )


def test_seeds_and_wells_have_different_cells() -> None:
    one = small().cells(0, 0, 5, **FIELD)
    assert not same(one, small(seed=4).cells(0, 0, 5, **FIELD))
    assert not same(one, small().cells(9000, 0, 5, **FIELD))


@settings(max_examples=25)
@given(hours=st.lists(st.floats(0, 12), min_size=1, max_size=4))
def test_what_was_asked_before_changes_nothing(hours: list[float]) -> None:
    used = small()
    for hour in hours:
        used.cells(0, 0, hour, **FIELD)
    again = [used.cells(0, 0, hour, **FIELD) for hour in reversed(hours)]
    fresh = [small().cells(0, 0, hour, **FIELD) for hour in reversed(hours)]
    assert all(map(same, again, fresh))


def test_threads_may_ask_at_once() -> None:
    shared, hours = small(), [9.0, 3.0, 12.0, 6.0] * 2
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda hour: shared.cells(0, 0, hour, **FIELD), hours))
    expected = [small().cells(0, 0, hour, **FIELD) for hour in hours]
    assert all(map(same, found, expected))


def test_a_culture_survives_pickling() -> None:
    culture = small()
    before = culture.cells(0, 0, 6, **FIELD)
    copy = pickle.loads(pickle.dumps(culture))
    assert copy == culture
    assert same(copy.cells(0, 0, 6, **FIELD), before)


def test_cells_move_smoothly_between_steps() -> None:
    culture = small()
    hours = np.linspace(5, 6, 21)
    frames = [culture.cells(0, 0, hour, width_um=300.0, height_um=300.0) for hour in hours]
    for one, other in pairwise(frames):
        _, before, after = np.intersect1d(one.identity, other.identity, return_indices=True)
        shift_um = np.hypot(
            one.x_um[before] - other.x_um[after], one.y_um[before] - other.y_um[after]
        )
        assert shift_um.max() < 5


def test_fresh_cells_are_round_and_spread_within_hours() -> None:
    culture = small(seed=5)
    assert culture.cells(0, 0, 0, **FIELD).roundness.min() == 1
    assert np.median(culture.cells(0, 0, 10, **FIELD).roundness) == 0


def test_dividing_cells_are_round_with_condensed_chromosomes() -> None:
    cells = Culture().cells(0, 0, 20, width_um=1000.0, height_um=1000.0)
    dividing = cells.condensation == 1
    assert 0 < dividing.sum() < 0.2 * len(cells)
    assert cells.roundness[dividing].min() == 1


def test_cells_shrink_in_a_crowd() -> None:
    culture = small()
    early, late = (culture.cells(0, 0, hour, **FIELD).area_um2 for hour in (12, 96))
    assert np.median(late) < 0.8 * np.median(early)


def test_a_field_wider_than_the_patch_sees_cells_again() -> None:
    culture = small()
    count = culture.cell_count(0, 0, 4)
    cells = culture.cells(0, 0, 4, width_um=1200.0, height_um=800.0)
    assert len(cells) == 6 * count
    assert len(np.unique(cells.identity)) == count


@given(x_um=st.floats(-3000, 3000), y_um=st.floats(-3000, 3000))
def test_moving_the_stage_moves_the_cells_the_other_way(x_um: float, y_um: float) -> None:
    culture = small()
    here = culture.cells(x_um, y_um, 0, width_um=200.0, height_um=200.0)
    there = culture.cells(x_um + 30, y_um, 0, width_um=200.0, height_um=200.0)
    _, before, after = np.intersect1d(here.identity, there.identity, return_indices=True)
    assert np.allclose(here.x_um[before], there.x_um[after] + 30)
    assert np.allclose(here.y_um[before], there.y_um[after])


@pytest.mark.parametrize("hours", [-1.0, 1001.0, float("nan"), float("inf")])
def test_there_is_no_culture_before_seeding_or_after_weeks(hours: float) -> None:
    with pytest.raises(
        ValueError, match=rf"hour 0 \(seeding\) to 1000, but hour {hours} was asked for"
    ):
        small().cells(0, 0, hours, **FIELD)


def test_a_patch_too_small_for_its_cells_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"patch_um is 100\.0, too small for cells of 46\.0 um"
    ):
        Culture(patch_um=100.0)
