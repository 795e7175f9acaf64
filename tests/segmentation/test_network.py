"""Our SAMCell equals transformers' SamModel, and reads what it is from its weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from samcell_live.segmentation import attention
from samcell_live.segmentation.conversion import from_hugging_face, is_hugging_face
from samcell_live.segmentation.encoder import IMAGENET_MEAN, IMAGENET_STD
from samcell_live.segmentation.network import PATCH_PX, SamArchitecture, SamcellNetwork


def sam_model(**vision: object) -> Any:
    """Transformers' own model with random weights; of the published sizes if none is said.

    Weights spread so that attention is neither flat nor saturated, and the map not grey.
    """
    transformers = pytest.importorskip(
        "transformers", reason="transformers is not installed"
    )
    side_px = vision.get("image_size", 1024)
    assert isinstance(side_px, int)
    config = transformers.SamConfig(
        vision_config=vision,
        prompt_encoder_config={
            "image_size": side_px,
            "image_embedding_size": side_px // PATCH_PX,
        },
    )
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = transformers.SamModel(config).eval()
        for name, parameter in model.named_parameters():
            noise = torch.randn_like(parameter)
            if "rel_pos" in name or "pos_embed" in name:
                parameter.data = 0.2 * noise
            elif parameter.ndim > 1 and "embed" not in name:
                parameter.data = noise * _fan_in(name, parameter) ** -0.5
            else:
                parameter.data += 0.1 * noise
    return model


def _fan_in(name: str, weight: Tensor) -> int:
    """Numbers that are summed into each output; transposed kernels overlap nowhere."""
    return weight.shape[0] if "upscale_conv" in name else weight[0].numel()


REDUCED = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "mlp_dim": 64,
    "window_size": 3,
    "global_attn_indexes": [1],
    "image_size": 64,
}


@pytest.fixture(scope="module")
def reference() -> Any:
    return sam_model(**REDUCED)


def predict_both(model: Any, tiles: Tensor) -> tuple[Tensor, Tensor]:
    """Distance maps of transformers' model and of our network with the same weights."""
    network = SamcellNetwork.from_tensors(from_hugging_face(model.state_dict()))
    side_px = network.architecture.grid * PATCH_PX
    enlarged = functional.interpolate(tiles, size=(side_px, side_px), mode="bilinear")
    mean = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
    pixels = (enlarged - mean) / torch.tensor(IMAGENET_STD).view(3, 1, 1)
    with torch.inference_mode():
        theirs = model(pixel_values=pixels, multimask_output=True).pred_masks[:, 0, :1]
        return torch.sigmoid(theirs), torch.sigmoid(network(tiles))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"window_size": 4},
        {"window_size": 5, "image_size": 112},
        {"hidden_size": 160, "num_hidden_layers": 3, "global_attn_indexes": [0, 2]},
        {"hidden_size": 256, "num_attention_heads": 4, "mlp_dim": 1024},
    ],
    ids=["uneven", "even", "larger", "heads as vit_h", "heads as vit_b"],
)
def test_it_equals_the_first_multimask_output_of_transformers(
    changes: dict[str, object],
) -> None:
    model = sam_model(**REDUCED | changes)
    side_px = model.config.vision_config.image_size // 4
    tiles = torch.rand(3, 1, side_px, side_px, generator=torch.Generator().manual_seed(3))

    theirs, ours = predict_both(model, tiles)

    assert theirs.std() > 0.1
    assert (ours - theirs).abs().max() < 1e-5


@pytest.mark.slow
def test_vit_b_equals_transformers() -> None:
    tiles = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(3))
    blurred = functional.interpolate(tiles, size=(256, 256), mode="bicubic").clamp(0, 1)

    theirs, ours = predict_both(sam_model(global_attn_indexes=[2, 5, 8, 11]), blurred)

    assert theirs.std() > 0.1
    assert (ours - theirs).abs().max() < 1e-5


def test_bfloat16_stays_near_float32(tiny_sam: dict[str, Tensor]) -> None:
    network = SamcellNetwork.from_tensors(tiny_sam)
    tiles = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(3))

    with torch.inference_mode():
        exact = network(tiles)
        with torch.autocast("cpu", torch.bfloat16):
            reduced = network(tiles)

    assert reduced.dtype == torch.float32
    assert 0 < (reduced - exact).abs().max() < 0.05 * exact.std()


@pytest.mark.parametrize("autocast", [False, True], ids=["float32", "bfloat16"])
def test_it_is_one_graph_without_a_break(
    tiny_sam: dict[str, Tensor], autocast: bool
) -> None:
    network = SamcellNetwork.from_tensors(tiny_sam)
    tiles = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(3))
    traced = torch.compile(network, fullgraph=True, backend="eager")

    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        torch.testing.assert_close(traced(tiles), network(tiles))


@pytest.mark.slow
@pytest.mark.parametrize("way", ["attend_by_rows", "attend_with_lookups"])
def test_compiled_it_gives_the_same_map(
    way: str,
    compiler: None,
    tiny_sam: dict[str, Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = SamcellNetwork.from_tensors(tiny_sam)
    tiles = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        exact = torch.sigmoid(network(tiles))
    # The way of a CPU, and that of a GPU in its place, for attention of any length.
    monkeypatch.setattr(attention, "attend_by_rows", getattr(attention, way))
    monkeypatch.setattr(attention, "SCORES_BYTES", 0)

    with torch.inference_mode():
        ours = torch.sigmoid(torch.compile(network, fullgraph=True)(tiles))

    assert exact.std() > 0.1
    assert (ours - exact).abs().max() < 1e-5


def test_tiles_enlarged_elsewhere_give_the_same(tiny_sam: dict[str, Tensor]) -> None:
    network = SamcellNetwork.from_tensors(tiny_sam)
    tiles = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(3))
    enlarged = functional.interpolate(tiles, scale_factor=4, mode="bilinear")

    torch.testing.assert_close(network.predict_enlarged(enlarged), network(tiles))


@pytest.mark.parametrize("factor", [0.5, 2])
def test_the_map_of_a_tile_of_another_size_has_that_size(
    tiny_sam: dict[str, Tensor], factor: float
) -> None:
    network = SamcellNetwork.from_tensors(tiny_sam)
    side_px = network.architecture.grid * PATCH_PX
    enlarged = torch.rand(1, 1, side_px, side_px)
    other = functional.interpolate(
        enlarged, scale_factor=factor / 4, mode="bilinear", antialias=True
    )

    with torch.inference_mode():
        logits = network(other)
        seen = functional.interpolate(other, size=(side_px, side_px), mode="bilinear")
        native = network.predict_enlarged(seen)

    assert logits.shape == other.shape
    resized = functional.interpolate(
        native, size=logits.shape[2:], mode="bilinear", antialias=True
    )
    torch.testing.assert_close(logits, resized)


def test_tiles_enlarged_to_another_size_are_refused(tiny_sam: dict[str, Tensor]) -> None:
    with pytest.raises(ValueError, match=r"\(1, 1, 32, 64\).*needs \(n, 1, 64, 64\)"):
        SamcellNetwork.from_tensors(tiny_sam).predict_enlarged(torch.zeros(1, 1, 32, 64))


def test_other_weights_bring_their_own_embedding_of_places(
    tiny_sam: dict[str, Tensor],
) -> None:
    name = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
    other = tiny_sam | {name: tiny_sam[name] + 1}
    tiles = torch.rand(1, 1, 16, 16)
    network = SamcellNetwork.from_tensors(tiny_sam)

    network.load_state_dict(other)

    assert torch.equal(network(tiles), SamcellNetwork.from_tensors(other)(tiles))


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
