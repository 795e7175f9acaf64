"""The distance map equals the published description, pixel for pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
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
    elements=st.integers(0, 4),
)


@given(label_images)
def test_it_equals_a_transform_of_the_whole_image_for_every_cell(
    labels: npt.NDArray[np.int32],
) -> None:
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


def test_a_cell_that_is_alone_on_the_whole_image_is_not_lost() -> None:
    assert distance_map(np.ones((3, 3), np.int32)).max() == 1
