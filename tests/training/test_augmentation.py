"""Crops vary as microscopes do, while image and target stay together."""

from __future__ import annotations

import numpy as np
import pytest

from samcell_live.segmentation.distance import distance_map
from samcell_live.training.augmentation import draw_crop
from samcell_live.training.fields import Field, Source, make_field


def disc(diameter_px: int, side_px: int = 801) -> Field:
    """One disc in the middle of an image."""
    y, x = np.mgrid[:side_px, :side_px] - side_px // 2
    labels = (np.hypot(y, x) <= diameter_px / 2).astype(np.int32)
    return make_field("disc", labels * 1000, labels)


def test_the_same_seed_draws_the_same_crop(source: Source) -> None:
    first, second = (draw_crop((source,), 32, np.random.default_rng(7)) for _ in range(2))

    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.distance, second.distance)


def test_crops_have_the_asked_size_and_the_targets_range(source: Source) -> None:
    random = np.random.default_rng(1)
    crops = [draw_crop((source,), 48, random) for _ in range(60)]

    assert {crop.image.shape for crop in crops} == {(48, 48)}
    assert {crop.image.dtype for crop in crops} == {np.dtype(np.float32)}
    assert all(np.isfinite(crop.image).all() for crop in crops)
    assert min(crop.distance.min() for crop in crops) >= 0
    assert max(crop.distance.max() for crop in crops) <= 1


def test_the_target_moves_with_the_image(source: Source) -> None:
    random = np.random.default_rng(1)

    alike = []
    for _ in range(60):
        crop = draw_crop((source,), 48, random)
        inside = crop.distance > 0.2
        if 50 < inside.sum() < 2000:
            contrast = crop.image[inside].mean() - crop.image[crop.distance == 0].mean()
            alike.append(abs(contrast) / crop.image.std())

    assert np.median(alike) > 1


@pytest.mark.parametrize("zoom", [0.5, 1.0, 1.5])
def test_an_enlarged_target_is_the_target_of_the_enlarged_cell(zoom: float) -> None:
    source = Source("disc", (disc(80),), share=1.0, zoom=(zoom, zoom))
    random = np.random.default_rng(3)
    crops = [draw_crop((source,), 224, random).distance for _ in range(20)]
    whole = [crop for crop in crops if crop.max() > 0.95 and not _touches_border(crop)]

    expected = distance_map(disc(round(80 * zoom)).labels)

    assert whole
    for crop in whole:
        assert crop.sum() == pytest.approx(expected.sum(), rel=0.1)


def _touches_border(crop: np.ndarray) -> bool:
    return bool(crop[[0, -1]].any() or crop[:, [0, -1]].any())


def test_both_polarities_are_seen(source: Source) -> None:
    random = np.random.default_rng(1)
    brighter = 0
    for _ in range(60):
        crop = draw_crop((source,), 64, random)
        brighter += crop.image[crop.distance > 0.3].mean() > crop.image.mean()

    assert 15 < brighter < 45


def test_sources_are_drawn_in_proportion_to_their_shares(field: Field) -> None:
    empty = make_field(
        "empty", np.arange(4096).reshape(64, 64), np.zeros((64, 64), np.int32)
    )
    sources = (
        Source("cells", (field,), share=3.0, zoom=(1, 1)),
        Source("empty", (empty,), share=1.0, zoom=(1, 1)),
    )
    random = np.random.default_rng(1)

    with_cells = sum(draw_crop(sources, 32, random).distance.any() for _ in range(200))

    assert 130 < with_cells < 170
