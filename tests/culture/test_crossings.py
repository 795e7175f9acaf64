"""A condition is true of a group when its complete scans say so, and not before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from samcell_live.culture.crossings import Crossing, crossings
from samcell_live.rules import When

WELLS = {"A1": {0, 1}, "A2": {2}}
NAN = float("nan")


def table(*scans: list[float], pending: tuple[int, ...] = ()) -> pd.DataFrame:
    """One scan of positions 0, 1, 2 per argument; slots in `pending` have no result yet."""
    values = np.array(scans, dtype=float)
    t, p = np.indices(values.shape).reshape(2, -1)
    settled = ~np.isin(np.arange(values.size), pending)
    frames = {"t": t, "p": p, "value": values.ravel(), "is_settled": settled}
    return pd.DataFrame(frames)


def found(frames: pd.DataFrame, **when: Any) -> list[Crossing]:
    return crossings(When(**({"above": 0.8} | when)), WELLS, frames)


def test_the_median_of_the_newest_scan_passes_the_threshold() -> None:
    assert found(table([0.7, 0.7, 0.7], [0.7, 0.82, 0.9])) == [Crossing("all", 1, (0.82,))]


def test_what_is_reached_exactly_is_not_passed() -> None:
    assert found(table([0.8, 0.8, 0.8])) == []


@pytest.mark.parametrize(
    ("statistic", "value"), [("min", 0.1), ("max", 0.9), ("mean", 0.4), ("median", 0.2)]
)
def test_the_statistic_is_over_the_frames_of_a_scan(statistic: str, value: float) -> None:
    (one,) = found(table([0.1, 0.2, 0.9]), statistic=statistic, above=0.0)
    assert one.values == pytest.approx((value,))


def test_a_threshold_may_be_passed_downwards() -> None:
    assert found(table([0.1, 0.1, 0.1]), above=None, below=0.2)[0].group == "all"
    assert found(table([0.3, 0.3, 0.3]), above=None, below=0.2) == []


def test_each_well_is_judged_for_itself() -> None:
    frames = table([0.9, 0.9, 0.1])
    assert [one.group for one in found(frames, group="each")] == ["A1"]
    assert [one.group for one in found(frames, group="A1")] == ["A1"]
    assert found(frames, group="A2") == []


def test_a_scan_that_is_not_complete_is_not_looked_at() -> None:
    frames = table([0.7, 0.7, 0.7], [0.9, 0.9, 0.9], pending=(5,))
    assert found(frames) == []
    assert [one.group for one in found(frames, group="A1")] == ["A1"]


def test_it_has_to_be_true_of_several_scans_if_so_wanted() -> None:
    assert found(table([0.7] * 3, [0.9] * 3), for_scans=2) == []
    assert found(table([0.9] * 3), for_scans=2) == []
    (one,) = found(table([0.7] * 3, [0.85] * 3, [0.9] * 3), for_scans=2)
    assert one == Crossing("all", 2, (0.85, 0.9))


def test_unknown_is_neither_for_nor_against() -> None:
    unknown = [NAN, NAN, 0.9]
    assert found(table(unknown)) == []
    (one,) = found(table([0.85] * 3, unknown, [0.9] * 3), for_scans=2)
    assert one.values == (0.85, 0.9)
    assert found(table([0.9, NAN, 0.9]))[0].values == (0.9,)


def test_a_well_that_is_not_expected_any_more_is_left_out() -> None:
    frames = table([0.9, 0.9, 0.9], [0.9, 0.9, 0.1])
    assert found(frames[~((frames["t"] == 1) & (frames["p"] < 2))], statistic="max") == []


def test_a_group_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="'B7', but this run has all, each, A1, A2"):
        found(table([0.9] * 3), group="B7")


def test_without_any_frame_nothing_is_true() -> None:
    assert found(table([0.9] * 3).iloc[:0]) == []
