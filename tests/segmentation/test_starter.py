"""The compact network: the same size out as in, and no influence from afar."""

from __future__ import annotations

import pytest
import torch

from samcell_live.segmentation.starter import CHANNELS, StarterNetwork


def tiny_network() -> StarterNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return StarterNetwork((4, 6, 8)).eval()


@pytest.mark.parametrize(("height", "width"), [(8, 8), (40, 24)])
def test_the_map_is_as_large_as_the_image(height: int, width: int) -> None:
    assert tiny_network()(torch.zeros(2, 1, height, width)).shape == (2, 1, height, width)


def test_sides_are_multiples_of_what_the_levels_halve() -> None:
    assert tiny_network().multiple_px == 8
    assert StarterNetwork(CHANNELS).multiple_px == 32


def test_a_pixel_does_not_depend_on_what_is_far_away() -> None:
    image = torch.randn(1, 1, 16, 400, generator=torch.Generator().manual_seed(2))
    other = image.clone()
    other[..., 200:] = 5

    with torch.inference_mode():
        near, near_other = tiny_network()(image), tiny_network()(other)

    torch.testing.assert_close(near[..., :100], near_other[..., :100])
    assert (near[..., 200:] - near_other[..., 200:]).abs().max() > 0.01


def test_every_weight_learns() -> None:
    network = tiny_network().train()
    image = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(2))

    network(image).square().mean().backward()

    assert all(p.grad is not None and p.grad.any() for p in network.parameters())


def test_folded_norms_change_nothing() -> None:
    network = tiny_network().train()
    generator = torch.Generator().manual_seed(2)
    network(3 * torch.randn(4, 1, 32, 32, generator=generator) + 1)  # norms worth folding
    network.eval()
    image = torch.randn(1, 1, 32, 40, generator=generator)
    with torch.inference_mode():
        expected = network(image)

    network.fold_norms()

    with torch.inference_mode():
        torch.testing.assert_close(network(image), expected, atol=1e-5, rtol=1e-4)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())


def test_reduced_precision_makes_no_plateaus() -> None:
    image = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(2))

    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        logits = tiny_network()(image)

    assert logits.dtype == torch.float32
    assert logits.unique().numel() > 0.99 * logits.numel()
