"""Holes, border cells and small cells, against scipy and scikit-image."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import label
from skimage.segmentation import clear_border, relabel_sequential

from samcell_live.records import Labels
from samcell_live.segmentation.cleaning import (
    close_gaps,
    drop_border_cells,
    drop_small_cells,
    fill_holes,
)


@st.composite
def cells(draw: st.DrawFn) -> Labels:
    """Ragged cells in one piece each, some around others, numbered without gaps."""
    seed, n_kinds = draw(st.integers(0, 10_000)), draw(st.integers(1, 3))
    rng = np.random.default_rng(seed)
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    kinds = (rng.random(shape) < 0.7) * rng.integers(1, n_kinds + 1, shape)
    return np.asarray(label(kinds, connectivity=1), dtype=np.int32)


def holes_of(labels: Labels) -> dict[int, Labels]:
    """Background that scipy would fill in one cell and that is beside no other."""
    parts, n_parts = ndimage.label(labels == 0)
    found: dict[int, Labels] = {}
    for part in range(1, n_parts + 1):
        here = parts == part
        beside = set(labels[ndimage.binary_dilation(here)].tolist()) - {0}
        if len(beside) == 1:
            cell = beside.pop()
            if ndimage.binary_fill_holes(labels == cell)[here].all():
                found[part] = np.where(here, cell, 0)
    return found


@given(cells())
def test_holes_are_what_scipy_fills_and_no_other_cell_is_beside(labels: Labels) -> None:
    expected = labels + sum(holes_of(labels).values())
    np.testing.assert_array_equal(fill_holes(labels), expected)


def test_a_hole_beside_two_cells_stays_and_so_does_a_bay() -> None:
    labels = np.array([[1, 1, 1, 1], [1, 0, 2, 1], [1, 1, 1, 1], [1, 0, 1, 1]], np.int32)
    np.testing.assert_array_equal(fill_holes(labels), labels)


def test_a_cell_within_a_cell_is_kept() -> None:
    labels = np.full((5, 5), 1, dtype=np.int32)
    labels[2, 2] = 2
    np.testing.assert_array_equal(fill_holes(labels), labels)


@given(cells())
def test_border_cells_are_those_of_scikit_image(labels: Labels) -> None:
    expected = relabel_sequential(clear_border(labels))[0]
    np.testing.assert_array_equal(drop_border_cells(labels), expected)


@given(cells(), st.integers(1, 6))
def test_the_cells_that_stay_have_the_smallest_area(
    labels: Labels, min_area_px: int
) -> None:
    numbers, areas_px = np.unique(labels, return_counts=True)
    kept = np.where(np.isin(labels, numbers[areas_px >= min_area_px]), labels, 0)
    expected = relabel_sequential(kept)[0]
    np.testing.assert_array_equal(drop_small_cells(labels, min_area_px), expected)


@given(cells(), st.sets(st.integers(1, 12)))
def test_numbers_close_up_in_their_order(labels: Labels, gone: set[int]) -> None:
    labels = np.where(np.isin(labels, list(gone)), 0, labels)
    np.testing.assert_array_equal(close_gaps(labels), relabel_sequential(labels)[0])


def test_what_was_given_is_left_as_it_was() -> None:
    labels = np.array([[1, 0, 0, 0], [0, 3, 3, 3], [0, 3, 0, 3], [0, 3, 3, 3]], np.int32)
    before = labels.copy()
    for change in (fill_holes, drop_border_cells, close_gaps):
        change(labels)
    drop_small_cells(labels, 5)
    np.testing.assert_array_equal(labels, before)
