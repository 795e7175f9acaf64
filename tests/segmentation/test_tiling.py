"""Tiles leave no pixel out, no seam behind, and no memory growing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from samcell_live.segmentation.tiling import EvenTiling, Predict, predict_in_tiles


def gives_back(tiles: Tensor) -> Tensor:
    return tiles


def noise(height: int, width: int, n_images: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(n_images, height, width, generator=generator)


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    tile=st.tuples(st.integers(2, 40), st.integers(2, 40)),
    overlap_share=st.floats(0, 0.5),
    batch_tiles=st.integers(1, 9),
)
def test_a_network_that_returns_its_input_gives_the_image_back(
    height: int, width: int, tile: tuple[int, int], overlap_share: float, batch_tiles: int
) -> None:
    image = noise(height, width)

    same = predict_in_tiles(
        image,
        gives_back,
        tile_px=tile,
        overlap_px=int(min(tile) * overlap_share),
        batch_tiles=batch_tiles,
    )

    np.testing.assert_allclose(same, image, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (255, 257), (256, 256), (513, 480)])
def test_the_papers_tiles_give_any_image_back(shape: tuple[int, int]) -> None:
    image = noise(*shape)

    np.testing.assert_allclose(predict_in_tiles(image, gives_back), image, atol=1e-6)


def test_the_edges_of_the_image_keep_their_full_weight() -> None:
    def only_ones(tiles: Tensor) -> Tensor:
        return torch.ones_like(tiles)

    everywhere = predict_in_tiles(noise(70, 50), only_ones, tile_px=(32, 32), overlap_px=8)

    np.testing.assert_allclose(everywhere, 1, atol=1e-6)


def zeros_then_ones() -> Predict:
    """A network that answers 0 for its first tile and 1 for its second."""
    answers = iter(range(2))
    return lambda tiles: torch.full_like(tiles, next(answers))


def test_one_tile_fades_into_the_next_as_a_cosine() -> None:
    faded = predict_in_tiles(
        noise(8, 12), zeros_then_ones(), tile_px=(8, 8), overlap_px=4, batch_tiles=1
    )

    rise = 0.5 * (1 - np.cos(np.pi * (np.arange(4) + 0.5) / 4))
    np.testing.assert_allclose(faded[0, 0], [*[0] * 4, *rise, *[1] * 4], atol=1e-6)


def test_without_overlap_tiles_stand_side_by_side() -> None:
    beside = predict_in_tiles(
        noise(1, 12), zeros_then_ones(), tile_px=(1, 8), overlap_px=0, batch_tiles=1
    )

    assert beside.tolist() == [[[0] * 8 + [1] * 4]]


def test_an_image_of_256_costs_one_tile() -> None:
    seen: list[int] = []

    def count(tiles: Tensor) -> Tensor:
        seen.append(len(tiles))
        return tiles

    predict_in_tiles(noise(256, 256), count)

    assert seen == [1]


def test_the_network_never_holds_more_tiles_than_allowed() -> None:
    seen: list[int] = []

    def count(tiles: Tensor) -> Tensor:
        seen.append(len(tiles))
        return tiles

    predict_in_tiles(noise(64, 80), count, tile_px=(16, 16), overlap_px=0, batch_tiles=6)

    assert seen == [6, 6, 6, 2]


def test_tiles_of_several_images_share_a_call() -> None:
    seen: list[int] = []

    def count(tiles: Tensor) -> Tensor:
        seen.append(len(tiles))
        return tiles

    images = noise(16, 48, n_images=3)
    same = predict_in_tiles(images, count, tile_px=(16, 16), overlap_px=0, batch_tiles=6)

    assert seen == [6, 3]
    assert torch.equal(same, images)


@pytest.mark.parametrize(
    ("length_px", "side_px"), [(1, 16), (16, 16), (60, 64), (65, 48), (120, 64), (121, 48)]
)
def test_even_tiles_share_an_axis(length_px: int, side_px: int) -> None:
    assert EvenTiling(64, 16, overlap_px=8).side_px(length_px) == side_px


@given(height=st.integers(1, 300), width=st.integers(1, 300))
def test_even_tiles_are_as_many_as_they_say(height: int, width: int) -> None:
    tiling = EvenTiling(64, 16, overlap_px=8)
    seen: list[int] = []

    def count(tiles: Tensor) -> Tensor:
        seen.append(len(tiles))
        return tiles

    tiling.predict(noise(height, width), count, batch_tiles=5)

    assert sum(seen) == tiling.n_tiles((height, width))


@pytest.mark.parametrize("overlap_px", [-1, 17])
def test_an_overlap_beyond_half_a_tile_is_refused(overlap_px: int) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 16, half a tile"):
        predict_in_tiles(noise(9, 9), gives_back, tile_px=(32, 40), overlap_px=overlap_px)
