"""Crops vary as they are told to, and their targets with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samcell_live.segmentation.distance import distance_map
from samcell_live.training.finetune.augment import draw_crop
from samcell_live.training.finetune.images import TrainingImage
from samcell_live.training.finetune.settings import NO_AUGMENTATION, Augmentation

EVERYTHING = Augmentation(scale=(0.5, 2), blur=1, noise=1, gamma=1, illumination=1)


def image(height_px: int = 40, width_px: int = 56) -> TrainingImage:
    random = np.random.default_rng(1)
    labels = np.zeros((height_px, width_px), np.int32)
    labels[4:20, 5:25] = 1
    labels[22:38, 20:50] = 2
    grey = random.uniform(0, 1, labels.shape).astype(np.float32)
    return TrainingImage("two cells", grey, labels, distance_map(labels))


def only(**changes: object) -> Augmentation:
    return NO_AUGMENTATION.model_copy(update=changes)


def draw(how: Augmentation, seed: int = 0, side_px: int = 16) -> tuple[np.ndarray, ...]:
    return draw_crop(image(), side_px, how, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_without_augmentation_a_crop_is_a_copy(seed: int) -> None:
    crop, target = draw(NO_AUGMENTATION, seed)

    whole = image()
    windows = np.lib.stride_tricks.sliding_window_view(whole.image, (16, 16))
    found = np.argwhere(np.isclose(windows, crop, atol=1e-5).all(axis=(2, 3)))
    assert len(found) == 1
    (top, left), side = found[0], 16
    np.testing.assert_allclose(
        target, whole.distance[top : top + side, left : left + side], atol=1e-5
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from([Augmentation(), EVERYTHING]))
def test_targets_stay_within_0_and_1(seed: int, how: Augmentation) -> None:
    crop, target = draw(how, seed)

    assert crop.shape == target.shape == (16, 16)
    assert crop.dtype == target.dtype == np.float32
    assert np.isfinite(crop).all()
    assert target.min() >= 0
    assert target.max() <= 1


@given(st.integers(0, 2**32 - 1))
def test_the_same_chance_draws_the_same_crop(seed: int) -> None:
    for once, again in zip(draw(EVERYTHING, seed), draw(EVERYTHING, seed), strict=True):
        np.testing.assert_array_equal(once, again)


def test_a_flip_mirrors_image_and_target() -> None:
    for upright, mirrored in zip(draw(NO_AUGMENTATION), draw(only(flip=1)), strict=True):
        np.testing.assert_allclose(mirrored, upright[:, ::-1], atol=1e-5)


def test_inversion_makes_a_negative_and_leaves_the_target() -> None:
    (crop, target), (negative, same) = draw(NO_AUGMENTATION), draw(only(inversion=1))

    np.testing.assert_allclose(negative, 1 - crop, atol=1e-6)
    np.testing.assert_array_equal(same, target)


def test_brightness_is_a_factor() -> None:
    (crop, _), (brighter, _) = draw(NO_AUGMENTATION), draw(only(brightness=(1.05, 1.05)))

    np.testing.assert_allclose(brighter, 1.05 * crop, rtol=1e-6)


@pytest.mark.parametrize("change", ["blur", "noise", "gamma", "illumination"])
def test_optional_changes_change_the_image_alone(change: str) -> None:
    (crop, target), (changed, same) = draw(NO_AUGMENTATION), draw(only(**{change: 1}))

    assert np.abs(changed - crop).max() > 0.005
    np.testing.assert_array_equal(same, target)


def test_a_cut_cell_keeps_the_depth_that_it_has_as_a_whole() -> None:
    whole = image()
    targets = [
        draw_crop(whole, 4, only(rotation_deg=180), np.random.default_rng(seed)).distance
        for seed in range(50)
    ]
    inside = [target.max() for target in targets if target.min() > 0]

    assert 0 < min(inside) < 0.6


def test_an_unknown_target_stays_unknown() -> None:
    whole = image()
    whole.distance[:] = np.nan

    target = draw_crop(whole, 16, EVERYTHING, np.random.default_rng(1)).distance

    assert np.isnan(target).all()


def test_an_image_smaller_than_the_crop_is_reflected() -> None:
    whole = image()
    labels = whole.labels[:20, :24]
    small = TrainingImage("small", whole.image[:20, :24], labels, distance_map(labels))

    crop, target = draw_crop(small, 32, NO_AUGMENTATION, np.random.default_rng(1))

    np.testing.assert_allclose(crop[6:26, 4:28], small.image, atol=1e-5)
    np.testing.assert_allclose(target[5], target[7], atol=1e-5)
