"""Images of any size are brought to one, and their cells stay where they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_folders import noise, two_cells

from samcell_live.training.data.fitting import (
    Plane,
    fit_square,
    fitted_shape,
    grey_plane,
    number_anew,
    pad_to,
)


def plane(
    shape: tuple[int, int] = (52, 70), dtype: str = "uint8", *, ignored: bool = False
) -> Plane:
    """Two cells on noise."""
    labels = two_cells(shape).astype(np.int32)
    return Plane(noise(1, shape).astype(dtype), labels, np.full(shape, ignored))


@pytest.mark.parametrize(
    ("before", "after"),
    [((300, 400), (384, 512)), ((400, 300), (512, 384)), ((1024, 1022), (512, 511))],
)
def test_the_aspect_ratio_is_kept(before: tuple[int, int], after: tuple[int, int]) -> None:
    fitted = fit_square(plane(before), 512)

    assert fitted_shape(before, 512) == after
    assert {part.shape for part in fitted} == {(512, 512)}
    inside = (slice(after[0]), slice(after[1]))
    assert not fitted.ignored[inside].any()
    assert fitted.ignored.sum() == 512**2 - after[0] * after[1]
    assert not fitted.labels[fitted.ignored].any()


@given(
    height=st.integers(30, 90),
    width=st.integers(40, 90),
    side_px=st.sampled_from([32, 128]),
)
def test_cells_keep_their_numbers_and_places(height: int, width: int, side_px: int) -> None:
    before = plane((height, width))
    scale = side_px / max(height, width)

    after = fit_square(before, side_px)

    assert set(np.unique(after.labels)) <= {0, 1, 2}
    for cell in (1, 2):
        centre_before = np.argwhere(before.labels == cell).mean(axis=0) + 0.5
        centre_after = np.argwhere(after.labels == cell).mean(axis=0) + 0.5
        np.testing.assert_allclose(centre_after, centre_before * scale, atol=1)


def test_a_square_of_the_same_size_is_left_as_it_is() -> None:
    before = plane((64, 64))

    for part_before, part_after in zip(before, fit_square(before, 64), strict=True):
        np.testing.assert_array_equal(part_before, part_after)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_padding_has_the_median_of_the_image(dtype: str) -> None:
    before = plane((30, 60), dtype)

    after = fit_square(before, 60)

    assert after.pixels.dtype == dtype
    assert set(after.pixels[30:].ravel()) == {np.median(before.pixels).astype(dtype)}


def test_shrinking_averages_all_pixels() -> None:
    pixels = np.tile(np.array([0, 0, 0, 200], dtype=np.uint8), (128, 32))

    after = fit_square(plane((128, 128))._replace(pixels=pixels), 32)

    assert set(after.pixels.ravel()) == {50}


def test_what_was_unknown_stays_unknown() -> None:
    assert fit_square(plane((40, 64), ignored=True), 128).ignored.all()


def test_a_small_plane_is_padded_and_a_large_one_is_not() -> None:
    small, large = pad_to(plane((40, 90)), 64), pad_to(plane((90, 100)), 64)

    assert small.pixels.shape == small.labels.shape == small.ignored.shape == (64, 90)
    assert small.ignored.sum() == 24 * 90
    assert large.labels.shape == (90, 100)


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=30))
def test_new_numbers_have_no_gaps_and_keep_the_order(numbers: list[int]) -> None:
    labels = np.array([numbers], dtype=np.int32)

    anew = number_anew(labels)

    assert sorted(set(anew[anew > 0])) == list(range(1, len({*numbers} - {0}) + 1))
    assert np.array_equal(anew == 0, labels == 0)
    assert np.array_equal(
        np.argsort(anew[0], kind="stable"), np.argsort(labels[0], kind="stable")
    )


@pytest.mark.parametrize(
    ("pixels", "dtype"),
    [
        (noise(1), "uint8"),
        (noise(1).astype(np.uint16), "uint16"),
        (noise(1).astype(np.int32), "float32"),
        (noise(1, (20, 30, 3)), "float32"),
    ],
)
def test_grey_images_keep_their_bit_depth(pixels: npt.NDArray[Any], dtype: str) -> None:
    grey = grey_plane(pixels)

    assert grey.dtype == dtype
    assert grey.shape == pixels.shape[:2]
