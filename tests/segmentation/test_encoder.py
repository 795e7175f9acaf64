"""Our way through SAM's image encoder equals its own, whatever the windows."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_anything.modeling import ImageEncoderViT
from torch import Tensor, nn

from samcell_live.segmentation import encoder as ours
from samcell_live.segmentation.encoder import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    encode,
    norm_last,
)


def random_encoder(grid: int, window: int) -> Any:
    """SAM's image encoder, reduced: one block with windows, one without."""
    with torch.random.fork_rng():
        torch.manual_seed(100 * grid + window)
        encoder = ImageEncoderViT(
            img_size=grid * 4,
            patch_size=4,
            embed_dim=16,
            depth=2,
            num_heads=2,
            out_chans=8,
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=window,
            global_attn_indexes=(1,),
        )
        for parameter in encoder.parameters():
            parameter.data += 0.2 * torch.randn_like(parameter)
    return encoder


def as_sam_sees(enlarged: Tensor) -> Tensor:
    mean = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
    return (enlarged - mean) / torch.tensor(IMAGENET_STD).view(3, 1, 1)


def grey_images(grid: int) -> Tensor:
    return torch.rand(2, 1, 4 * grid, 4 * grid, generator=torch.Generator().manual_seed(5))


@settings(max_examples=25)
@given(grid=st.integers(1, 7), window=st.integers(1, 5))
def test_any_grid_in_any_windows_equals_sams_own(grid: int, window: int) -> None:
    encoder, images = random_encoder(grid, window), grey_images(grid)

    with torch.no_grad():
        theirs = encoder(as_sam_sees(images))
        embedded = encode(encoder, images).permute(0, 3, 1, 2)

    torch.testing.assert_close(embedded, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("grid", "window"), [(4, 3), (6, 3), (5, 4)])
def test_gradients_of_every_parameter_equal_sams_own(grid: int, window: int) -> None:
    encoder, images = random_encoder(grid, window), grey_images(grid)
    weights = torch.randn(2, 8, grid, grid, generator=torch.Generator().manual_seed(7))
    parameters = list(encoder.parameters())

    theirs = torch.autograd.grad((encoder(as_sam_sees(images)) * weights).sum(), parameters)
    embedded = encode(encoder, images).permute(0, 3, 1, 2)
    gradients = torch.autograd.grad((embedded * weights).sum(), parameters)

    for our, their in zip(gradients, theirs, strict=True):
        torch.testing.assert_close(our, their, rtol=1e-3, atol=1e-3)


def test_where_there_is_no_image_sam_gets_its_mean_colour() -> None:
    encoder, images = random_encoder(4, 3), grey_images(4)
    images[..., 10:] = torch.nan

    with torch.no_grad():
        theirs = encoder(as_sam_sees(images).nan_to_num(nan=0.0))
        embedded = encode(encoder, images).permute(0, 3, 1, 2)

    torch.testing.assert_close(embedded, theirs, rtol=0, atol=1e-5)


def test_grey_levels_finer_than_half_precision_are_kept() -> None:
    projection = random_encoder(4, 3).patch_embed.proj
    images = 0.75 + grey_images(4) * 2e-3  # bfloat16 is 4e-3 wide here

    with torch.no_grad():
        exact = ours._embed_patches(projection, images)
        with torch.autocast("cpu", torch.bfloat16):
            reduced = ours._embed_patches(projection, images)

    assert exact.std() > 0
    assert torch.equal(reduced, exact)


def test_norms_of_half_precision_are_computed_in_single() -> None:
    norm = random_encoder(4, 3).neck[1]
    large = torch.full((1, 8), 60000.0, dtype=torch.float16)
    large[0, 0] = -60000.0  # its variance is beyond float16

    assert torch.equal(norm_last(norm, large), norm_last(norm, large.float()))
    assert norm_last(norm, large).isfinite().all()
