"""The overlay shows the image as it is, and the outline of every cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from skimage.segmentation import find_boundaries

from samcell_live.recordings.overlay import (
    LONGEST_SIDE_PX,
    OUTLINE_RGB,
    draw_overlay,
    outline,
)

RAMP = np.linspace(0, 60_000, 40 * 60).reshape(40, 60)
LABELS = np.zeros((40, 60), dtype=np.int32)
LABELS[5:20, 5:20] = 1
LABELS[5:20, 20:30] = 2
LABELS[30:, 50:] = 3


def shown(pixels: npt.NDArray[Any], labels: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    return np.asarray(draw_overlay(pixels, labels).convert("RGB"))


def test_outlines_are_those_of_scikit_image() -> None:
    blobs = np.random.default_rng(3).integers(0, 4, (12, 15)).repeat(4, 0).repeat(4, 1)
    expected = find_boundaries(blobs, connectivity=1, mode="inner") & (blobs > 0)
    np.testing.assert_array_equal(outline(blobs.astype(np.int32)), expected)


def test_outlines_have_their_colour_and_all_else_is_grey() -> None:
    picture = shown(RAMP, LABELS)
    line = outline(LABELS)
    assert (picture[line] == OUTLINE_RGB).all()
    assert (np.ptp(picture[~line], axis=-1) == 0).all()


def test_brighter_pixels_are_shown_brighter() -> None:
    greys = shown(RAMP, np.zeros_like(LABELS))[..., 0].ravel().astype(int)
    assert (np.diff(greys) >= 0).all()
    assert (greys[0], greys[-1]) == (0, 255)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.float64])
def test_images_of_any_type_are_shown(dtype: type) -> None:
    picture = shown((RAMP / 300 > 100).astype(dtype), np.zeros_like(LABELS))
    assert picture[0, 0].tolist() == [0, 0, 0]
    assert picture[-1, -1].tolist() == [255, 255, 255]


def test_a_flat_image_is_mid_grey_and_unknown_pixels_are_black() -> None:
    flat = np.full(LABELS.shape, 7.0)
    assert np.unique(shown(flat, np.zeros_like(LABELS))) == [128]
    ramp = RAMP.copy()
    ramp[-1, -1] = np.nan
    assert shown(ramp, np.zeros_like(LABELS))[-1, -1].tolist() == [0, 0, 0]


def test_a_large_image_is_shown_smaller() -> None:
    labels = np.zeros((10, 2 * LONGEST_SIDE_PX + 2), dtype=np.int32)
    labels[:, :2000] = 1
    overlay = draw_overlay(np.ones(labels.shape, dtype=np.uint8), labels)
    assert overlay.size == ((2 * LONGEST_SIDE_PX + 2) // 3, 3)
    assert (np.asarray(overlay) == 255).any()
