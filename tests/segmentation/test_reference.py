"""The preset `reference` does what the package samcell 1.2.0 does, and that beside it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from samcell_package import sam_processor
from torch import Tensor

from samcell_live.records import Mask
from samcell_live.segmentation.network import SamcellNetwork
from samcell_live.segmentation.reference import (
    GreyBytes,
    TileArrays,
    centroid_markers,
    predict_as_reference,
    tile_starts,
)
from samcell_live.segmentation.reference_network import (
    ReferenceNetwork,
    ReferenceTiling,
    enlarge_as_pillow,
)


def clouds(shape_px: tuple[int, int], seed: int = 1) -> GreyBytes:
    """Smooth noise that spans 0 to 255."""
    noise = np.random.default_rng(seed).random(shape_px)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    return np.asarray(
        cv2.normalize(smooth, smooth, 0, 255, cv2.NORM_MINMAX), dtype=np.uint8
    )


def brightness(tiles: TileArrays) -> TileArrays:
    return np.nan_to_num(tiles) / np.float32(255)


class Recorder:
    """A network that keeps the tiles that it was given, and numbers its answers."""

    def __init__(self) -> None:
        self.tiles: list[TileArrays] = []
        self.calls: list[int] = []

    def __call__(self, tiles: TileArrays) -> TileArrays:
        numbers = np.arange(len(tiles)) + len(self.tiles)
        self.tiles += list(tiles)
        self.calls.append(len(tiles))
        return np.broadcast_to(numbers[:, None, None], tiles.shape).astype(np.float32)


@pytest.mark.parametrize(
    ("length_px", "starts"),
    [
        (1, [0, 32]),
        (256, [0, 32]),
        (384, [0, 160]),
        (385, [0, 192, 161]),
        (704, [0, 192, 384, 480]),
    ],
)
def test_tiles_begin_every_192_pixels_and_the_last_ends_32_after_the_image(
    length_px: int, starts: list[int]
) -> None:
    assert tile_starts(length_px) == starts


def test_the_sum_of_tiles_is_divided_by_their_weights() -> None:
    network = Recorder()

    blended = predict_as_reference(clouds((256, 384)), network, batch_tiles=4)

    # Tiles 0 and 2 begin at column 0, tiles 1 and 3 at 160; rows 33 to 223 differ in
    # weight by row 0's and row 32's, which are equal from row 64 on.
    assert blended[100, 100] == pytest.approx((0 + 2) / 2)
    half = 0.5  # sixteen columns after the start of a tile
    assert blended[100, 176] == pytest.approx(
        (0 + half * 1 + 2 + half * 3) / (2 + 2 * half)
    )
    assert blended[100, 300] == pytest.approx((1 + 3) / 2)


def test_a_constant_map_is_kept_wherever_a_tile_has_weight() -> None:
    blended = predict_as_reference(clouds((300, 520)), lambda tiles: 0 * tiles + 0.25)

    reached = np.ones(blended.shape, dtype=bool)
    reached[0] = reached[:, 0] = False
    reached[:5, :5] = False
    np.testing.assert_allclose(blended[reached], 0.25, rtol=1e-6)


def test_column_0_takes_its_values_from_the_package_s_wrong_pixels() -> None:
    blended = predict_as_reference(clouds((256, 256)), brightness)

    # 2032 pixels before (9, 1) have weight, so it is number 2033 of those; the pixel
    # 2033 of all is (7, 240).
    assert blended[9, 0] == blended[7, 240]
    assert blended[9, 0] != blended[9, 1]


def test_every_tile_has_its_own_contrast() -> None:
    network = Recorder()
    image = clouds((256, 600)) // 4
    image[:, 300:] += 100

    predict_as_reference(image, network)

    assert [float(np.nanmin(tile)) for tile in network.tiles] == [0] * 8
    assert [float(np.nanmax(tile)) for tile in network.tiles] == [255] * 8


def test_a_tile_that_the_border_is_too_narrow_for_ends_early() -> None:
    network = Recorder()

    predict_as_reference(clouds((300, 400)), network)

    exists = [~np.isnan(tile) for tile in network.tiles]
    assert [int(there.sum()) for there in exists] == [256**2, 256 * 240, 256**2] * 2
    assert exists[1][:, :240].all()


def test_a_small_image_is_mirrored_up_to_a_tile() -> None:
    image = clouds((100, 300))
    mirrored = np.pad(image, ((0, 156), (0, 0)), mode="symmetric")

    blended = predict_as_reference(image, brightness)

    assert np.array_equal(blended, predict_as_reference(mirrored, brightness)[:100])


@pytest.mark.parametrize("shape_px", [(1, 1), (1, 700), (7, 3)])
def test_the_map_has_the_shape_of_the_smallest_image(shape_px: tuple[int, int]) -> None:
    blended = predict_as_reference(np.full(shape_px, 7, dtype=np.uint8), brightness)

    assert blended.shape == shape_px
    assert not blended.any()


@given(batch_tiles=st.integers(1, 12))
def test_tiles_may_be_predicted_in_any_batches(batch_tiles: int) -> None:
    image, network = clouds((300, 400)), Recorder()

    predict_as_reference(image, network, batch_tiles=batch_tiles)

    assert max(network.calls) <= batch_tiles
    assert sum(network.calls) == ReferenceTiling().n_tiles((300, 400)) == 6


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((300, 300), dtype=np.uint16),
        np.zeros((300, 300, 3), dtype=np.uint8),
        np.zeros((0, 5), dtype=np.uint8),
    ],
)
def test_an_image_that_the_package_would_misread_is_refused(image: GreyBytes) -> None:
    with pytest.raises(ValueError, match="one grey image of 8 bits"):
        predict_as_reference(image, brightness)


def test_tensors_are_tiled_alike() -> None:
    images = [clouds((256, 300), seed) for seed in (1, 2)]
    stack = torch.from_numpy(np.stack(images).astype(np.float32))

    maps = ReferenceTiling().predict(stack, lambda tiles: tiles.nan_to_num() / 255, 3)

    for one, image in zip(maps.numpy(), images, strict=True):
        assert np.array_equal(one, predict_as_reference(image, brightness))


def drawing(*lines: str) -> Mask:
    return np.array([[pixel == "#" for pixel in line] for line in lines])


@pytest.mark.parametrize(
    ("above_peak", "places"),
    [
        pytest.param(drawing(".....", ".###.", ".###."), [(1, 2)], id="rounded down"),
        pytest.param(drawing("...", ".#.", "..."), [], id="a pixel"),
        pytest.param(drawing("....", ".##.", "...."), [], id="a line"),
        pytest.param(drawing("#.#", ".#."), [(0, 1)], id="no area"),
        pytest.param(
            drawing("#####", "#...#", "#.#.#", "#...#", "#####"), [(2, 2)], id="in a hole"
        ),
        pytest.param(
            drawing("########", "########", "##......", "########", "########"),
            [(2, 3)],
            id="outside itself",
        ),
        pytest.param(drawing("##...##", "##...##"), [(0, 0), (0, 5)], id="two"),
    ],
)
def test_a_marker_lies_at_the_centroid(
    above_peak: Mask, places: list[tuple[int, int]]
) -> None:
    markers = centroid_markers(above_peak)

    assert [tuple(place) for place in np.argwhere(markers).tolist()] == places
    assert sorted(markers[markers > 0].tolist()) == list(range(1, len(places) + 1))


def test_of_markers_at_the_same_place_one_remains() -> None:
    bracket = np.zeros((12, 12), dtype=bool)
    bracket[:3] = bracket[-3:] = bracket[:, :3] = True
    (centre,) = np.argwhere(centroid_markers(bracket)).tolist()
    both = bracket.copy()
    both[centre[0] - 1 : centre[0] + 2, centre[1] - 1 : centre[1] + 2] = True
    assert not bracket[tuple(centre)]

    assert np.array_equal(np.argwhere(centroid_markers(both)), [centre])


@given(
    shape_px=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 2**32 - 1),
)
def test_enlarging_equals_pillow_bit_for_bit(shape_px: tuple[int, int], seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, shape_px, dtype=np.uint8)
    height, width = shape_px

    enlarged = enlarge_as_pillow(torch.from_numpy(image[None, None].astype(np.float32)))

    pillow = Image.fromarray(image).resize(
        (4 * width, 4 * height), Image.Resampling.BILINEAR
    )
    assert np.array_equal(enlarged[0, 0].numpy(), np.asarray(pillow))


@pytest.mark.parametrize("shape_px", [(16, 16), (16, 13), (9, 16), (14, 11)])
def test_the_network_sees_what_sams_image_processor_gives(
    tiny_sam: dict[str, Tensor], shape_px: tuple[int, int]
) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    noise = np.random.default_rng(3)
    crop = noise.integers(0, 256, shape_px, dtype=np.uint8)
    tile = torch.full((1, 1, 16, 16), torch.nan)
    tile[0, 0, : shape_px[0], : shape_px[1]] = torch.from_numpy(crop.astype(np.float32))
    processor = sam_processor().image_processor
    processor.size, processor.pad_size = {"longest_edge": 64}, {"height": 64, "width": 64}
    seen = processor(np.stack([crop] * 3, axis=-1), return_tensors="pt")["pixel_values"]
    network = SamcellNetwork.from_tensors(tiny_sam)
    prompt = network.prompt_encoder

    with torch.inference_mode():
        masks, _ = network.mask_decoder(
            network.image_encoder(seen),
            prompt.get_dense_pe(),
            torch.empty(1, 0, 256),
            prompt.no_mask_embed.weight.view(1, -1, 1, 1).expand(-1, -1, 4, 4),
            multimask_output=True,
        )
        theirs = masks[:, :1]
        ours = ReferenceNetwork(network)(tile)

    assert theirs.std() > 0.1
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
