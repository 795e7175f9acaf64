"""The distance map equals the published description, pixel for pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_edt

from samcell_live.records import DistanceMap
from samcell_live.segmentation.distance import distance_map


def one_whole_image_per_cell(labels: npt.NDArray[np.int32]) -> DistanceMap:
    """The definition: transform the whole image once for every cell."""
    distance = np.zeros(labels.shape)
    for label in set(labels.ravel().tolist()) - {0}:
        cell = labels == label
        depth = distance_transform_edt(cell)
        distance[cell] = depth[cell] / depth.max()
    return distance.astype(np.float32)


label_images = hnp.arrays(
    np.int32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=14),
    elements=st.sampled_from([0, 1, 1, 1, 2, 900]),
)


@given(label_images)
def test_it_equals_a_transform_of_the_whole_image_for_every_cell(
    labels: npt.NDArray[np.int32],
) -> None:
    # Without any border scipy measures from a pixel outside the image.
    assume(np.unique(labels).size > 1 or not labels.any())
    np.testing.assert_array_equal(distance_map(labels), one_whole_image_per_cell(labels))


@given(label_images)
def test_every_cell_rises_to_one_and_the_background_stays_at_zero(
    labels: npt.NDArray[np.int32],
) -> None:
    distance = distance_map(labels)

    assert np.all(distance[labels == 0] == 0)
    assert all(distance[labels == cell].max() == 1 for cell in set(labels[labels > 0]))


def test_touching_cells_keep_a_valley_between_them() -> None:
    labels = np.repeat([[0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0]], 5, axis=0)

    middle = distance_map(labels)[2]

    assert middle[3] == middle[8] == 1
    assert middle[5] < 0.5 > middle[6]


def test_the_edge_of_the_image_is_no_border_of_a_cell() -> None:
    labels = np.array([[1, 1, 1, 1, 0]])

    assert distance_map(labels).tolist() == [[1.0, 0.75, 0.5, 0.25, 0.0]]


def test_a_cell_that_fills_the_whole_image_is_deep_everywhere() -> None:
    assert distance_map(np.ones((3, 3), np.int32)).min() == 1


def test_large_cells_of_any_shape_equal_a_transform_of_the_whole_image() -> None:
    random = np.random.default_rng(1)
    coarse = random.integers(0, 5, (7, 9), dtype=np.int32)
    labels = np.kron(coarse, np.ones((23, 17), np.int32))
    labels[random.random(labels.shape) < 0.002] = 0

    np.testing.assert_array_equal(distance_map(labels), one_whole_image_per_cell(labels))


def test_huge_label_numbers_cost_no_memory() -> None:
    labels = np.array([[0, 2**60, 2**60, 2**60, 7, 0]], dtype=np.int64)

    assert distance_map(labels).tolist() == [[0.0, 0.5, 1.0, 0.5, 1.0, 0.0]]


def test_an_image_full_of_huge_numbers_has_no_background() -> None:
    assert distance_map(np.array([[2**60, 2**61]])).tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("labels", [np.array([[-1]]), np.array([1]), np.array([[0.5]])])
def test_what_is_no_plane_of_labels_is_refused(labels: npt.NDArray[np.int64]) -> None:
    with pytest.raises(ValueError, match=r"a plane .* of integers from 0 on"):
        distance_map(labels)
