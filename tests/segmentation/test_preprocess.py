"""Any camera's numbers become what the networks read, in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis.extra import numpy as hnp

from samcell_live.records import Pixels
from samcell_live.segmentation.preprocess import (
    STANDARD_LIMIT,
    GreyImage,
    grey,
    scale_to_bytes,
    scale_to_unit,
    standardise,
)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("prepare", [scale_to_unit, standardise])
def test_brighter_stays_brighter_in_every_number_type(dtype: Any, prepare: Any) -> None:
    top = min(np.iinfo(dtype).max, 65535) if np.issubdtype(dtype, np.integer) else 1
    ramp = np.linspace(0, top, 60).astype(dtype).reshape(6, 10)

    prepared = prepare(grey(ramp)).ravel()

    assert np.all(np.diff(prepared) >= 0)
    assert np.all(np.diff(prepared[2:-2]) > 0)


def test_twelve_bits_are_not_wrapped_into_eight() -> None:
    unit = scale_to_unit(grey(np.array([[0, 255, 256, 4095]], dtype=np.uint16)))

    np.testing.assert_allclose(unit, [[0, 255 / 4095, 256 / 4095, 1]], rtol=1e-6)


def test_a_mask_is_read_as_zeros_and_ones() -> None:
    assert grey(np.array([[True, False]])).tolist() == [[1.0, 0.0]]


def test_contrast_and_offset_do_not_change_a_standardised_image() -> None:
    image = np.random.default_rng(1).random((40, 50), dtype=np.float32)

    np.testing.assert_allclose(
        standardise(image * 300 + 2000), standardise(image), rtol=1e-2, atol=2e-3
    )


@given(hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=30)))
def test_a_cameras_counts_are_standardised_as_by_sorting_them(counts: Pixels) -> None:
    image = grey(counts)
    low, middle, high = np.percentile(image, [0.5, 50, 99.5])
    spread = np.clip(image, low, high).std(dtype=np.float64)
    assume(spread > abs(middle) * 1e-5)

    by_sorting = np.clip((image - middle) / spread, -STANDARD_LIMIT, STANDARD_LIMIT)
    np.testing.assert_allclose(standardise(image), by_sorting, rtol=1e-5, atol=1e-5)


def test_a_hot_pixel_does_not_flatten_the_rest() -> None:
    image = np.random.default_rng(1).random((60, 60), dtype=np.float32)
    hot = image.copy()
    hot[3, 4] = 1e6

    without, with_hot = standardise(image), standardise(hot)

    assert with_hot[3, 4] == STANDARD_LIMIT
    with_hot[3, 4] = without[3, 4]
    np.testing.assert_allclose(with_hot, without, atol=0.02)


@pytest.mark.parametrize("prepare", [scale_to_unit, standardise])
@pytest.mark.parametrize("value", [0, 1000.1, -3])
def test_a_constant_image_becomes_zero(prepare: Any, value: float) -> None:
    assert not prepare(np.full((8, 9), value, np.float32)).any()


def test_one_bright_speck_on_a_constant_image_is_kept() -> None:
    image: GreyImage = np.zeros((40, 40), np.float32)
    image[3, 4] = 1

    assert standardise(image)[3, 4] > 1


def test_unknown_pixels_take_the_median_of_the_known() -> None:
    image = np.array([[1.0, np.nan, 3.0], [np.inf, 8.0, 3.0]])

    assert grey(image).tolist() == [[1.0, 3.0, 3.0], [3.0, 8.0, 3.0]]


def test_huge_values_stay_finite_and_ordered() -> None:
    image = grey(np.array([[0.0, 1e200, 1e300]]))

    assert np.isfinite(image).all()
    assert image[0, 2] > image[0, 1] >= image[0, 0]


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((2, 3, 5)), r"has shape \(2, 3, 5\)"),
        (np.zeros((2, 3, 3, 1)), r"has shape \(2, 3, 3, 1\)"),
        (np.zeros((0, 4)), r"at least one pixel"),
        (np.full((2, 2), np.nan), r"All 4 pixels are NaN"),
        (np.zeros((2, 2), complex), r"holds complex128"),
    ],
)
def test_what_is_no_grey_image_is_refused(pixels: npt.NDArray[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grey(pixels)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grey_saved_as_colour_stays_exactly_as_it_was(channels: int) -> None:
    counts = np.random.default_rng(1).integers(0, 65536, (5, 6), dtype=np.uint16)

    np.testing.assert_array_equal(
        grey(np.repeat(counts[..., None], channels, axis=2)), grey(counts)
    )


def test_colours_become_their_luminance() -> None:
    colours = np.zeros((1, 3, 4), np.uint8)
    colours[0, range(3), range(3)] = 255

    np.testing.assert_allclose(grey(colours), [[76.245, 149.685, 29.07]], rtol=1e-5)


def test_opacity_does_not_change_the_image() -> None:
    image = np.random.default_rng(1).random((4, 5, 4))
    opaque = image.copy()
    opaque[..., 3] = 1

    np.testing.assert_array_equal(grey(image), grey(opaque))


def test_eight_bits_stay_as_they_are() -> None:
    image = np.array([[0, 7, 255]], np.float32)

    np.testing.assert_array_equal(scale_to_bytes(image), image)


@pytest.mark.parametrize("image", [[[0, 256, 4095]], [[-1, 0, 254]], [[0.0, 0.25, 1.0]]])
def test_other_ranges_are_scaled_to_bytes_and_not_wrapped(image: list[list[float]]) -> None:
    scaled = scale_to_bytes(np.array(image, np.float32))

    assert scaled[0, 0] == 0
    assert scaled[0, 2] == 255
    assert 0 < scaled[0, 1] < 255
    np.testing.assert_array_equal(scaled, np.rint(scaled))


def test_a_hot_and_a_dead_pixel_do_not_decide_the_range() -> None:
    image = np.linspace(1000, 2000, 400, dtype=np.float32).reshape(20, 20)
    expected = scale_to_unit(image)
    image[5, 5], image[12, 3] = 65535, 0

    changed = scale_to_unit(image)

    assert (changed[5, 5], changed[12, 3]) == (1, 0)
    changed[5, 5], changed[12, 3] = expected[5, 5], expected[12, 3]
    np.testing.assert_allclose(changed, expected, atol=0.01)


def test_the_only_bright_pixels_still_show() -> None:
    image = np.zeros((9, 9), np.float32)
    image[4, 4] = 3

    assert scale_to_unit(image)[4, 4] == 1
