from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samcell_live.culture.measurements import measure_cells
from samcell_live.culture.neighbours import Neighbours, measure_neighbours
from samcell_live.culture.places import measure_places, sum_places
from samcell_live.records import Labels


def neighbours(labels: Labels, reach_px: float) -> Neighbours:
    boxes = measure_places(sum_places(labels), labels.shape).boxes
    cells = range(1, labels.max() + 1)
    centroids = np.array([np.argwhere(labels == cell).mean(axis=0) for cell in cells])
    return measure_neighbours(labels, boxes, centroids.reshape(-1, 2), reach_px)


def row_of_cells(*gaps_px: int) -> Labels:
    """Cells of 3 x 3 pixels in a row."""
    labels = np.zeros((5, 3 + sum(gap + 3 for gap in gaps_px)), dtype=np.int32)
    starts = np.cumsum([0, *(gap + 3 for gap in gaps_px)])
    for cell, x in enumerate(starts, start=1):
        labels[1:4, x : x + 3] = cell
    return labels


def test_cells_are_neighbours_up_to_the_distance_between_their_outlines() -> None:
    labels = row_of_cells(0, 4, 5)
    assert neighbours(labels, 0).neighbour_count.tolist() == [1, 1, 0, 0]
    assert neighbours(labels, 3.9).neighbour_count.tolist() == [1, 1, 0, 0]
    assert neighbours(labels, 4).neighbour_count.tolist() == [1, 2, 1, 0]
    assert neighbours(labels, 5).neighbour_count.tolist() == [1, 2, 2, 1]


def test_cells_that_touch_at_a_corner_are_neighbours() -> None:
    diagonal = np.diag(np.array([1, 2], dtype=np.int32))
    assert neighbours(diagonal, 0).neighbour_count.tolist() == [1, 1]


def test_a_cell_between_does_not_part_neighbours() -> None:
    assert neighbours(row_of_cells(0, 0), 3).neighbour_count.tolist() == [2, 2, 2]


def test_distances_are_between_centroids() -> None:
    found = neighbours(row_of_cells(1, 7), 2)
    assert found.nearest_neighbour_distance_px.tolist() == [4, 4, 10]
    np.testing.assert_array_equal(found.mean_neighbour_distance_px, [4, 4, np.nan])
    assert found.mean_cell_distance_px.tolist() == [9, 7, 12]


def test_a_lone_cell_has_no_neighbour_and_no_distance() -> None:
    found = neighbours(row_of_cells(), 5)
    assert found.neighbour_count.tolist() == [0]
    assert all(math.isnan(column[0]) for column in found[1:])


@given(seed=st.integers(0, 10_000), reach_px=st.floats(0, 9))
def test_no_neighbour_is_missed_or_made_up(seed: int, reach_px: float) -> None:
    rng = np.random.default_rng(seed)
    labels = np.zeros((16, 16), dtype=np.int32)
    labels[rng.integers(0, 16, 6), rng.integers(0, 16, 6)] = 1
    labels[labels > 0] = np.arange(1, labels.sum() + 1)
    places = np.argwhere(labels)
    apart = np.maximum(abs(places[:, np.newaxis] - places) - 1, 0)
    expected = (np.hypot(apart[..., 0], apart[..., 1]) <= reach_px).sum(axis=1) - 1
    assert neighbours(labels, reach_px).neighbour_count.tolist() == expected.tolist()


def test_the_distance_is_five_micrometres_or_else_five_pixels() -> None:
    labels = row_of_cells(5, 10)
    for size_um, expected in ((math.nan, [1, 1, 0]), (1.0, [1, 1, 0]), (0.5, [1, 2, 1])):
        table = measure_cells(labels, labels, size_um)
        assert table["neighbour_count"].tolist() == expected


def test_the_distance_can_be_chosen() -> None:
    labels = row_of_cells(5, 10)
    table = measure_cells(labels, labels, 0.5, neighbour_distance_um=2.4)
    assert table["neighbour_count"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("size_um", "distance_um", "message"),
    [
        (math.nan, 5.0, "5.0 um, but the pixel size is unknown"),
        (1.0, -2.0, "-2.0 um, but a gap is 0 or more"),
        (1.0, math.nan, "nan um, but a gap is 0 or more"),
    ],
)
def test_a_distance_that_cannot_be_is_refused(
    size_um: float, distance_um: float, message: str
) -> None:
    labels = row_of_cells()
    with pytest.raises(ValueError, match=message):
        measure_cells(labels, labels, size_um, neighbour_distance_um=distance_um)
