"""Our SAMCell equals transformers' SamModel, and reads what it is from its weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from samcell_live.segmentation.conversion import from_hugging_face, is_hugging_face
from samcell_live.segmentation.encoder import IMAGENET_MEAN, IMAGENET_STD
from samcell_live.segmentation.network import SamArchitecture, SamcellNetwork


@pytest.fixture(scope="module")
def reference() -> Any:
    """Transformers' own model, reduced, with random weights everywhere."""
    transformers = pytest.importorskip(
        "transformers", reason="transformers is not installed"
    )
    config = transformers.SamConfig(
        vision_config={
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "mlp_dim": 64,
            "window_size": 3,
            "global_attn_indexes": [1],
            "image_size": 64,
        },
        prompt_encoder_config={"image_size": 64, "image_embedding_size": 4},
    )
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = transformers.SamModel(config).eval()
        for parameter in model.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def test_it_equals_the_first_multimask_output_of_transformers(reference: Any) -> None:
    tiles = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(3))
    enlarged = functional.interpolate(tiles, size=(64, 64), mode="bilinear")
    pixels = (enlarged - torch.tensor(IMAGENET_MEAN).view(3, 1, 1)) / torch.tensor(
        IMAGENET_STD
    ).view(3, 1, 1)
    network = SamcellNetwork.from_tensors(from_hugging_face(reference.state_dict()))

    with torch.inference_mode():
        theirs = reference(pixel_values=pixels, multimask_output=True).pred_masks[:, 0, :1]
        ours = network(tiles)

    assert theirs.std() > 0.1
    assert (torch.sigmoid(ours) - torch.sigmoid(theirs)).abs().max() < 1e-5


def test_converted_names_are_exactly_sams_own(
    reference: Any, tiny_sam: dict[str, Tensor]
) -> None:
    theirs = reference.state_dict()

    converted = from_hugging_face(theirs)

    assert is_hugging_face(theirs)
    assert not is_hugging_face(converted)
    assert {name: tensor.shape for name, tensor in converted.items()} == {
        name: tensor.shape for name, tensor in tiny_sam.items()
    }


def test_a_state_dict_survives_a_round_trip(tiny_sam: dict[str, Tensor]) -> None:
    again = SamcellNetwork.from_tensors(tiny_sam).state_dict()

    assert list(again) == list(tiny_sam)
    assert all(torch.equal(again[name], tiny_sam[name]) for name in tiny_sam)


def test_half_precision_weights_are_widened(tiny_sam: dict[str, Tensor]) -> None:
    halves = {name: tensor.half() for name, tensor in tiny_sam.items()}

    network = SamcellNetwork.from_tensors(halves)

    assert network(torch.zeros(1, 1, 16, 16)).dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "width", "depth", "heads"),
    [("vit_b", 768, 12, 12), ("vit_l", 1024, 24, 16), ("vit_h", 1280, 32, 16)],
)
def test_the_variant_is_read_from_the_tensors(
    name: str, width: int, depth: int, heads: int
) -> None:
    published = SamArchitecture(
        width=width,
        depth=depth,
        heads=heads,
        mlp_ratio=4.0,
        window=14,
        global_blocks=tuple(range(depth // 4 - 1, depth, depth // 4)),
        grid=64,
    )
    with torch.device("meta"):
        tensors = SamcellNetwork(published).state_dict()

    assert SamArchitecture.from_tensors(tensors) == published
    assert published.name == name


def test_only_the_image_encoder_and_the_mask_decoder_are_trained(
    tiny_sam: dict[str, Tensor],
) -> None:
    network = SamcellNetwork.from_tensors(tiny_sam)

    trained = {
        name.split(".")[0] for name, p in network.named_parameters() if p.requires_grad
    }
    assert trained == {"image_encoder", "mask_decoder"}


def test_it_can_be_trained_after_it_has_predicted(tiny_sam: dict[str, Tensor]) -> None:
    network = SamcellNetwork.from_tensors(tiny_sam)
    tiles = torch.rand(2, 1, 16, 16)
    with torch.inference_mode():
        network(tiles)

    network(tiles).mean().backward()

    assert network.image_encoder.pos_embed.grad is not None


def test_a_missing_tensor_is_named(tiny_sam: dict[str, Tensor]) -> None:
    del tiny_sam["mask_decoder.iou_token.weight"]

    with pytest.raises(ValueError, match=r"Missing key.*mask_decoder\.iou_token\.weight"):
        SamcellNetwork.from_tensors(tiny_sam)


def test_weights_of_something_else_are_refused() -> None:
    with pytest.raises(ValueError, match=r"lack the tensor image_encoder\.pos_embed"):
        SamcellNetwork.from_tensors({"layer1.weight": torch.zeros(2)})


def test_a_tensor_of_the_wrong_shape_is_named(tiny_sam: dict[str, Tensor]) -> None:
    tiny_sam["image_encoder.neck.0.weight"] = torch.zeros(2, 2)

    with pytest.raises(ValueError, match=r"image_encoder\.neck\.0\.weight"):
        SamcellNetwork.from_tensors(tiny_sam)
