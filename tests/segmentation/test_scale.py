"""How large cells are is read off a distance map, and images are resized to suit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from segmenters import sees_brightness

from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.scale import (
    LONGER_THAN_ROUND,
    MOST_LOOKS,
    SIZES_ALIKE,
    next_zoom,
    resize,
    seen_diameter_px,
)
from samcell_live.segmentation.segmenter import Segmenter
from samcell_live.settings import SegmentationSettings

IMAGE_PX = (512, 512)


def discs(*diameters_px: int) -> npt.NDArray[np.int32]:
    """Discs beside each other."""
    side_px = max(diameters_px) + 10
    y, x = np.mgrid[:side_px, :side_px] - side_px // 2
    parts = [
        number * (np.hypot(y, x) <= diameter_px / 2)
        for number, diameter_px in enumerate(diameters_px, start=1)
    ]
    return np.hstack(parts).astype(np.int32)


@pytest.mark.parametrize("diameter_px", [8, 28, 150])
def test_the_diameter_is_found_but_for_what_round_cells_are_shorter(
    diameter_px: int,
) -> None:
    distance = distance_map(discs(diameter_px, diameter_px))

    found_px = seen_diameter_px(distance) * LONGER_THAN_ROUND
    assert found_px == pytest.approx(diameter_px, rel=0.15)


def test_debris_beside_cells_does_not_count() -> None:
    distance = distance_map(discs(40, 40, *[6] * 20))

    found_px = seen_diameter_px(distance) * LONGER_THAN_ROUND
    assert found_px == pytest.approx(40, rel=0.1)


def test_where_no_cell_is_seen_none_has_a_diameter() -> None:
    assert math.isnan(seen_diameter_px(np.zeros((64, 64), np.float32)))


def test_cells_of_about_the_right_size_are_left_as_they_are() -> None:
    low, high = SIZES_ALIKE
    for seen_px in (low * 28 + 1, 28, high * 28 - 1, math.nan):
        assert next_zoom(1.0, seen_px, 28, IMAGE_PX) == 1.0


def test_others_are_brought_to_the_size_that_the_network_knows() -> None:
    assert next_zoom(1.0, 112, 28, IMAGE_PX) == pytest.approx(0.25)
    assert next_zoom(1.0, 14, 28, IMAGE_PX) == pytest.approx(2)
    assert next_zoom(0.5, 14, 28, IMAGE_PX) == pytest.approx(1)


def test_no_image_is_enlarged_or_reduced_without_bounds() -> None:
    assert next_zoom(1.0, 1, 28, IMAGE_PX) == 4
    assert next_zoom(1.0, 1, 28, (4096, 4096)) == 1
    assert next_zoom(1.0, 5000, 28, IMAGE_PX) == pytest.approx(0.1)


def test_an_image_keeps_a_pixel_however_much_it_is_reduced() -> None:
    assert resize(np.ones((4, 400), np.float32), 0.1).shape == (1, 40)


class Watched:
    """Prepares images, and remembers their shapes."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def __call__(self, image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.seen.append(image.shape)
        return np.asarray(image / max(float(image.max()), 1e-6), np.float32)


def finder(watched: Watched, **settings: float) -> Segmenter:
    """A segmenter that looks for the size of cells; it knows those of 24 px best."""
    plain = sees_brightness()._model
    model = replace(plain, prepare=watched, finds_diameters=True, cell_diameter_px=24.0)
    chosen = SegmentationSettings.model_validate(settings)
    return Segmenter(model, chosen, torch.device("cpu"))


def large_cell() -> npt.NDArray[np.float32]:
    """A cone of 160 px, as a distance map is."""
    y, x = np.mgrid[:300, :300] - 150
    return np.asarray(1000 * np.clip(1 - np.hypot(y, x) / 80, 0, 1), np.float32)


def test_a_large_cell_is_looked_at_again_smaller_and_comes_back_as_it_was() -> None:
    watched = Watched()

    result = finder(watched)(large_cell())

    first, *later = watched.seen
    assert first == (300, 300)
    assert 1 <= len(later) < MOST_LOOKS
    assert later[-1][0] < 120
    assert result.labels.shape == (300, 300)
    assert result.labels.max() == 1


def test_the_diameter_of_cells_can_be_asked_for() -> None:
    found_px = finder(Watched()).cell_diameter_px(large_cell())

    assert found_px > 24 * SIZES_ALIKE[1]
    assert math.isnan(finder(Watched()).cell_diameter_px(np.zeros((64, 64))))


def test_an_image_whose_cells_have_the_size_is_looked_at_once() -> None:
    watched = Watched()

    finder(watched)(1000 * distance_map(discs(28, 28)))

    assert len(watched.seen) == 1


def test_a_diameter_that_is_given_is_not_looked_for() -> None:
    watched = Watched()

    result = finder(watched, cell_diameter_px=240.0)(large_cell())

    assert watched.seen == [(30, 30)]
    assert result.labels.shape == (300, 300)


def test_two_diameters_are_refused() -> None:
    with pytest.raises(ValueError, match=r"cell_diameter_um is 20.*cell_diameter_px is 30"):
        SegmentationSettings(cell_diameter_um=20, cell_diameter_px=30)
