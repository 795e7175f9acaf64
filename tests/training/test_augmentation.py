"""Crops vary as microscopes do, while image and target stay together."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from skimage.measure import label

from samcell_live.segmentation.distance import distance_map
from samcell_live.training.augmentation import CHANGES, Change, Crop, draw_crop
from samcell_live.training.fields import Field, Source, make_field
from samcell_live.training.settings import TrainingSettings


def disc(diameter_px: int, side_px: int = 801) -> Field:
    """One disc in the middle of an image."""
    y, x = np.mgrid[:side_px, :side_px] - side_px // 2
    labels = (np.hypot(y, x) <= diameter_px / 2).astype(np.int32)
    return make_field("disc", labels * 1000, labels)


def asking(
    side_px: int, diameter_px: float = 17.0, octaves: float = 0.0
) -> TrainingSettings:
    """Settings for crops of this size, whose cells have this size."""
    return TrainingSettings(
        crop_px=side_px, diameter_px=diameter_px, diameter_octaves=octaves
    )


def test_the_same_seed_draws_the_same_crop(source: Source) -> None:
    first, second = (
        draw_crop((source,), asking(32), np.random.default_rng(7)) for _ in range(2)
    )

    for ours, theirs in zip(first, second, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_crops_have_the_asked_size_and_the_targets_range(source: Source) -> None:
    random = np.random.default_rng(1)
    crops = [draw_crop((source,), asking(64), random) for _ in range(60)]

    assert {crop.image.shape for crop in crops} == {(64, 64)}
    assert {crop.image.dtype for crop in crops} == {np.dtype(np.float32)}
    assert all(np.isfinite(crop.image).all() for crop in crops)
    assert min(crop.distance.min() for crop in crops) >= 0
    assert max(crop.distance.max() for crop in crops) <= 1


def test_the_target_moves_with_the_image(source: Source) -> None:
    random = np.random.default_rng(1)

    alike = []
    for _ in range(60):
        crop = draw_crop((source,), asking(64), random)
        inside = crop.distance > 0.2
        if 50 < inside.sum() < 3000:
            contrast = crop.image[inside].mean() - crop.image[crop.distance == 0].mean()
            alike.append(abs(contrast) / crop.image.std())

    assert np.median(alike) > 1


@pytest.mark.parametrize("zoom", [0.5, 1.0, 1.5])
def test_an_enlarged_target_is_the_target_of_the_enlarged_cell(zoom: float) -> None:
    source = Source("disc", (disc(80),), share=1.0)
    random = np.random.default_rng(3)
    drawn = [draw_crop((source,), asking(256, 80 * zoom), random) for _ in range(60)]
    crops = [crop.distance for crop in drawn]
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
        crop = draw_crop((source,), asking(64), random)
        cells = crop.image[crop.distance > 0.3]
        brighter += bool(cells.size) and cells.mean() > crop.image.mean()

    assert 15 < brighter < 45


def test_sources_are_drawn_in_proportion_to_their_shares(field: Field) -> None:
    empty = make_field(
        "empty", np.arange(4096).reshape(64, 64), np.zeros((64, 64), np.int32)
    )
    sources = (
        Source("cells", (field,), share=3.0),
        Source("empty", (empty,), share=1.0),
    )
    random = np.random.default_rng(1)

    drawn = (draw_crop(sources, asking(32), random) for _ in range(400))
    with_cells = sum(crop.distance.any() for crop in drawn)

    assert 250 < with_cells < 320


def whole_discs(crops: Iterable[Crop]) -> list[float]:
    """Diameters of the discs in crops that show one, whole, and no reflection of it."""
    shown = (crop.distance for crop in crops if crop.distance.max() > 0.9)
    discs = (depth > 0.01 for depth in shown if not _touches_border(depth))
    areas_px = [disc.sum() for disc in discs if label(disc, return_num=True)[1] == 1]
    return [float(2 * np.sqrt(area_px / np.pi)) for area_px in areas_px]


@pytest.mark.parametrize("diameter_px", [30.0, 60.0, 90.0])
def test_cells_have_the_asked_diameter_whatever_they_had_in_their_field(
    diameter_px: float,
) -> None:
    source = Source("discs", (disc(60), disc(200)), share=1.0)
    random = np.random.default_rng(2)
    crops = (draw_crop((source,), asking(192, diameter_px), random) for _ in range(80))

    found_px = whole_discs(crops)

    assert len(found_px) > 2
    assert found_px == pytest.approx([diameter_px] * len(found_px), rel=0.1)


def test_diameters_spread_by_the_asked_octaves() -> None:
    source = Source("disc", (disc(80),), share=1.0)
    random = np.random.default_rng(2)
    asked = asking(192, 50, octaves=0.3)
    crops = (draw_crop((source,), asked, random) for _ in range(400))
    octaves = np.log2(np.array(whole_discs(crops)) / 50)

    assert len(octaves) > 20
    assert abs(octaves.mean()) < 0.15
    assert 0.2 < octaves.std() < 0.4


@pytest.mark.parametrize("change", [change for _, change in CHANGES])
def test_every_change_keeps_shape_and_numbers(change: Change) -> None:
    image = np.random.default_rng(1).normal(size=(64, 96)).astype(np.float32)

    changed = change(image, np.random.default_rng(1))

    assert changed.shape == image.shape
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()
    assert not np.array_equal(changed, image)
