"""What may change, and what it begins as."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from samcell_live.segmentation.formats import read_weights
from samcell_live.segmentation.network import SamcellNetwork
from samcell_live.training.finetune import start
from samcell_live.training.finetune.lora import merged
from samcell_live.training.finetune.settings import FinetuneSettings, Lora
from samcell_live.training.finetune.start import VIT_B, find_start


def network(settings: FinetuneSettings, **changes: Any) -> SamcellNetwork:
    return find_start(settings.model_copy(update=changes)).network


def trained(it: SamcellNetwork) -> set[str]:
    return {name for name, weight in it.named_parameters() if weight.requires_grad}


def tiles() -> Tensor:
    return torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("encoder", ["train", "freeze", "lora"])
def test_all_that_is_trained_gets_a_gradient(
    settings: FinetuneSettings, encoder: str
) -> None:
    it = network(settings, encoder=encoder)

    it(tiles()).sum().backward()

    without = {
        name
        for name, weight in it.named_parameters()
        if weight.requires_grad and weight.grad is None
    }
    assert without == set()


def test_the_prompt_encoder_is_frozen_and_the_rest_trained(
    settings: FinetuneSettings,
) -> None:
    names = trained(network(settings))

    assert not any(name.startswith("prompt_encoder.") for name in names)
    assert "image_encoder.pos_embed" in names
    assert "image_encoder.blocks.1.attn.qkv.weight" in names
    assert "mask_decoder.output_hypernetworks_mlps.1.layers.0.weight" in names


def test_a_frozen_encoder_leaves_the_decoder(settings: FinetuneSettings) -> None:
    names = trained(network(settings, encoder="freeze"))

    assert names
    assert all(name.startswith("mask_decoder.") for name in names)


def test_low_rank_changes_begin_as_none(settings: FinetuneSettings) -> None:
    torch.testing.assert_close(
        network(settings, encoder="lora")(tiles()), network(settings)(tiles())
    )


def test_low_rank_changes_are_all_that_is_trained_of_the_encoder(
    settings: FinetuneSettings,
) -> None:
    it = network(settings, encoder="lora", lora=Lora(rank=2, layers=("qkv", "proj")))

    of_encoder = {name for name in trained(it) if name.startswith("image_encoder.")}
    assert of_encoder == {
        f"image_encoder.blocks.{block}.attn.{layer}.parametrizations.weight.0.{half}"
        for block in (0, 1)
        for layer in ("qkv", "proj")
        for half in ("down", "up")
    }


def test_merged_weights_predict_what_the_changed_network_does(
    settings: FinetuneSettings,
) -> None:
    it = network(settings, encoder="lora", lora=Lora(rank=2, layers=("qkv", "proj")))
    with torch.no_grad():
        for name, weight in it.named_parameters():
            if name.endswith(".up"):
                weight.normal_()

    plain = SamcellNetwork.from_tensors(merged(it))

    torch.testing.assert_close(plain(tiles()), it(tiles()))
    assert not torch.allclose(plain(tiles()), network(settings)(tiles()))


def test_recomputed_blocks_have_the_same_gradients(settings: FinetuneSettings) -> None:
    kept, recomputed = network(settings), network(settings, recompute=True)

    kept(tiles()).sum().backward()
    recomputed(tiles()).sum().backward()

    for ours, theirs in zip(recomputed.parameters(), kept.parameters(), strict=True):
        if theirs.grad is not None:
            torch.testing.assert_close(ours.grad, theirs.grad)


def test_random_weights_follow_from_the_seed(
    settings: FinetuneSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert VIT_B.name == "vit_b"
    tiny = network(settings).architecture
    monkeypatch.setattr(start, "VIT_B", tiny)

    once, again = (network(settings, start="random", seed=3)(tiles()) for _ in range(2))
    other = network(settings, start="random", seed=4)(tiles())

    assert torch.equal(once, again)
    assert not torch.equal(once, other)


def test_the_start_is_known_by_its_checksum(settings: FinetuneSettings) -> None:
    it = find_start(settings)

    assert it.name == settings.start
    assert it.sha256 == read_weights(settings.images[0].parent / "sam.safetensors").sha256


def test_a_starter_network_is_refused(settings: FinetuneSettings) -> None:
    with pytest.raises(ValueError, match=r"starter network.*samcell-live train"):
        network(settings, start="starter")
