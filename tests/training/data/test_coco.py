"""Objects of COCO files become label images, and none is lost unseen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_folders import box
from pycocotools import mask as coco

from samcell_live.training.data.coco import (
    CocoObject,
    RunLengths,
    decode_runs,
    draw_objects,
)


def polygon(x: int, y: int, side: int, *, crowd: bool = False) -> CocoObject:
    corners = tuple(np.array(part, dtype=np.float64) for part in box(x, y, side))
    return CocoObject(1, corners, crowd)


def test_a_polygon_covers_its_pixels() -> None:
    labels = draw_objects([polygon(2, 3, 4)], 20, 30).labels

    assert np.argwhere(labels).tolist() == [
        [y, x] for y in range(3, 7) for x in range(2, 6)
    ]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@given(seed=st.integers(0, 2**32 - 1), n_corners=st.integers(3, 60))
def test_polygons_differ_from_coco_by_a_few_pixels_of_their_outline(
    seed: int, n_corners: int
) -> None:
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, n_corners))
    radii = random.uniform(8, 25) * (1 + 0.3 * np.sin(3 * angles))
    centre_x, centre_y = random.uniform(0, 80, 2)
    x, y = centre_x + radii * np.cos(angles), centre_y + radii * np.sin(angles)
    corners = np.column_stack([x, y]).ravel()

    ours = draw_objects([CocoObject(1, (corners,), crowd=False)], 70, 90).labels
    theirs = coco.decode(coco.merge(coco.frPyObjects([corners], 70, 90)))

    outline_px = np.hypot(np.diff(x, append=x[0]), np.diff(y, append=y[0])).sum()
    assert np.count_nonzero(ours != theirs) <= 2 + 0.15 * outline_px


def test_an_object_may_have_several_polygons() -> None:
    both = CocoObject(1, polygon(0, 0, 3).shape + polygon(10, 10, 3).shape, crowd=False)  # type: ignore[operator]

    labels = draw_objects([both], 20, 30).labels

    assert labels[1, 1] == labels[11, 11] == 1


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@given(counts=st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_run_lengths_are_read_as_numbers_and_as_text(counts: list[int]) -> None:
    size = [10, 48]
    counts = [*counts, 480 - sum(counts)]
    values = np.repeat(np.arange(len(counts)) % 2, counts)
    expected = values.reshape(size, order="F")

    plain: RunLengths = {"size": size, "counts": counts}
    text = coco.encode(np.asfortranarray(expected.astype(np.uint8)))["counts"].decode()

    for runs in (plain, {"size": size, "counts": text}):
        np.testing.assert_array_equal(decode_runs(runs, 10, 48), expected)


def test_run_lengths_of_another_image_are_refused() -> None:
    runs: RunLengths = {"size": [3, 4], "counts": [12]}

    with pytest.raises(ValueError, match=r"12 pixels for an image of \[3, 4\].*\[20, 30\]"):
        draw_objects([CocoObject(1, runs, crowd=False)], 20, 30)


@pytest.mark.parametrize("order", [1, -1])
def test_a_small_cell_on_a_large_one_is_kept_whatever_the_order(order: int) -> None:
    large, small = polygon(0, 0, 12), polygon(4, 4, 3)

    truth = draw_objects([large, small][::order], 20, 30)

    assert sorted(np.bincount(truth.labels.ravel())[1:].tolist()) == [9, 144 - 9]
    assert (truth.n_lost, truth.n_overlapping_px) == (0, 9)


def test_a_cell_that_is_wholly_under_another_is_counted_as_lost() -> None:
    assert draw_objects([polygon(1, 1, 5), polygon(1, 1, 5)], 20, 30).n_lost == 1


@pytest.mark.parametrize("corners", [(), (np.array([1.0, 1, 9, 9]),), (np.array([1.0]),)])
def test_an_object_without_area_is_counted_as_lost(
    corners: tuple[np.ndarray, ...],
) -> None:
    truth = draw_objects([CocoObject(1, corners, crowd=False)], 20, 30)

    assert (truth.n_lost, truth.labels.max()) == (1, 0)


def test_nothing_is_known_of_a_crowd_except_the_cells_in_it() -> None:
    truth = draw_objects([polygon(2, 2, 8, crowd=True), polygon(3, 3, 2)], 20, 30)

    assert truth.labels.max() == 1
    assert truth.ignored.sum() == 64 - 4
    assert not truth.ignored[truth.labels > 0].any()


def test_an_image_without_objects_is_background() -> None:
    truth = draw_objects([], 20, 30)

    assert truth.labels.shape == (20, 30)
    assert not truth.labels.any()
    assert not truth.ignored.any()
