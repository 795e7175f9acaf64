"""Seeds above the peak, growth down to the fill, numbers without gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage.segmentation import watershed

from samcell_live.records import DistanceMap, Labels
from samcell_live.segmentation.watershed import split_cells

distance_maps = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=16),
    elements=st.floats(0, 1, width=32),
)


def cones(
    shape: tuple[int, int], centres: list[tuple[int, int]], radius_px: float
) -> DistanceMap:
    """One cone, 1 at its tip, for every centre."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    heights = [1 - np.hypot(y - cy, x - cx) / radius_px for cy, cx in centres]
    return np.asarray(np.clip(np.max(heights, axis=0), 0, 1), dtype=np.float32)


def split(distance: DistanceMap, **changes: Any) -> Labels:
    return split_cells(
        distance, **({"peak_threshold": 0.47, "fill_threshold": 0.09} | changes)
    )


@given(distance_maps, st.integers(1, 6))
def test_cells_are_the_regions_above_the_peak_without_specks(
    distance: DistanceMap, min_marker_px: int
) -> None:
    labels = split(distance, min_marker_px=min_marker_px)

    regions, _ = ndimage.label(distance > 0.47, structure=np.ones((3, 3)))
    n_seeds = np.count_nonzero(np.bincount(regions.ravel())[1:] >= min_marker_px)
    assert sorted(set(labels.ravel().tolist()) - {0}) == list(range(1, n_seeds + 1))


@given(distance_maps)
def test_no_cell_lies_at_or_below_the_fill(distance: DistanceMap) -> None:
    assert not np.any(split(distance)[distance <= 0.09])


@given(distance_maps)
def test_every_pixel_above_the_peak_belongs_to_a_cell(distance: DistanceMap) -> None:
    assert np.all(split(distance, min_marker_px=1)[distance > 0.47] > 0)


@given(distance_maps)
def test_each_cell_is_in_one_piece(distance: DistanceMap) -> None:
    labels = split(distance)

    pieces = [
        ndimage.label(labels == n, np.ones((3, 3)))[1] for n in range(1, labels.max() + 1)
    ]
    assert pieces == [1] * labels.max()


def test_two_touching_cells_part_at_the_valley() -> None:
    labels = split(cones((21, 41), [(10, 12), (10, 28)], radius_px=10))

    assert labels.max() == 2
    assert labels[10, 19] == labels[10, 12] != labels[10, 28] == labels[10, 21]


def test_an_empty_map_gives_no_cells() -> None:
    labels = split(np.zeros((5, 7), np.float32))

    assert labels.shape == (5, 7)
    assert labels.dtype == np.int32
    assert not labels.any()


def test_a_small_cell_is_dropped_while_splitting() -> None:
    distance = np.maximum(
        cones((30, 40), [(15, 12)], radius_px=10), cones((30, 40), [(5, 32)], radius_px=2.5)
    )

    assert split(distance).max() == 2
    assert split(distance, min_area_px=30).max() == 1


@pytest.mark.parametrize(("peak", "fill"), [(0.1, 0.2), (1.2, 0.1), (0.5, -0.1)])
def test_thresholds_out_of_order_are_refused(peak: float, fill: float) -> None:
    with pytest.raises(ValueError, match=r"0 <= fill <= peak <= 1"):
        split(np.zeros((2, 2), np.float32), peak_threshold=peak, fill_threshold=fill)


@given(distance_maps)
def test_the_labels_are_scikit_images_with_the_same_markers_and_mask(
    distance: DistanceMap,
) -> None:
    markers = ndimage.label(distance > 0.47, structure=np.ones((3, 3)))[0]
    expected = watershed(-distance, markers, mask=distance > 0.09)
    np.testing.assert_array_equal(split(distance, markers=markers), expected)


def test_given_markers_replace_the_regions_above_the_peak() -> None:
    distance = cones((21, 41), [(10, 12), (10, 28)], radius_px=10)
    markers = np.zeros(distance.shape, dtype=np.int32)
    markers[10, 28], markers[10, 12], markers[0, 0] = 5, 9, 7  # 7 lies outside of all cells

    labels = split(distance, markers=markers)

    assert (labels[10, 28], labels[10, 12], labels.max()) == (1, 2, 2)


def test_holes_are_filled_and_border_cells_dropped_where_asked_for() -> None:
    distance = cones((30, 60), [(15, 15), (15, 58)], radius_px=10)
    distance[14:16, 14:16] = 0

    assert split(distance)[14, 14] == 0
    assert split(distance).max() == 2
    assert split(distance, fill_holes=True)[14, 14] == 1
    assert split(distance, drop_border_cells=True).max() == 1


def test_an_area_is_that_of_the_cell_with_its_holes_filled() -> None:
    distance = cones((30, 30), [(15, 15)], radius_px=10)
    distance[14:16, 14:16] = 0
    area_px = np.count_nonzero(split(distance)) + 1

    assert split(distance, min_area_px=area_px).max() == 0
    assert split(distance, min_area_px=area_px, fill_holes=True).max() == 1
