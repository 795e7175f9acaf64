"""SAM's names and Hugging Face's: each is the other's way back, to the last bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from samcell_live.segmentation.conversion import (
    from_hugging_face,
    is_hugging_face,
    to_hugging_face,
    unwrap,
)
from samcell_live.segmentation.network import SamArchitecture, SamcellNetwork

SHARED = "shared_image_embedding.positional_embedding"
COPY = "prompt_encoder.shared_embedding.positional_embedding"
SAM_VIT_B = SamArchitecture(
    width=768,
    depth=12,
    heads=12,
    mlp_ratio=4.0,
    window=14,
    global_blocks=(2, 5, 8, 11),
    grid=64,
)


@pytest.fixture(scope="module")
def transformers() -> Any:
    return pytest.importorskip("transformers", reason="transformers is not installed")


@pytest.fixture(scope="module")
def theirs(transformers: Any) -> Any:
    """Transformers' own model, reduced, with random weights."""
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
        return transformers.SamModel(config).eval()


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(one[name], other[name]) for name in one
    )


def test_hugging_faces_state_dict_survives_a_round_trip(theirs: Any) -> None:
    before = theirs.state_dict()

    after = to_hugging_face(from_hugging_face(before))

    assert {SHARED, COPY} <= after.keys()
    assert same(before, after)


def test_sams_state_dict_survives_a_round_trip(tiny_sam: dict[str, Tensor]) -> None:
    assert is_hugging_face(to_hugging_face(tiny_sam))
    assert same(tiny_sam, from_hugging_face(to_hugging_face(tiny_sam)))


def test_transformers_loads_what_was_converted(
    theirs: Any, tiny_sam: dict[str, Tensor], transformers: Any
) -> None:
    model = transformers.SamModel(theirs.config)

    model.load_state_dict(to_hugging_face(tiny_sam), strict=True)

    assert same(from_hugging_face(model.state_dict()), tiny_sam)


def test_every_name_of_vit_b_is_known(transformers: Any) -> None:
    with torch.device("meta"):
        theirs = transformers.SamModel(transformers.SamConfig()).state_dict()
        ours = SamcellNetwork(SAM_VIT_B).state_dict()
    one_copy = {name: tensor for name, tensor in theirs.items() if name != COPY}

    assert {name: t.shape for name, t in from_hugging_face(one_copy).items()} == {
        name: t.shape for name, t in ours.items()
    }
    assert to_hugging_face(ours).keys() == theirs.keys()


@pytest.mark.parametrize("kept", [SHARED, COPY])
def test_one_copy_of_the_shared_embedding_is_enough(
    kept: str, tiny_sam: dict[str, Tensor]
) -> None:
    names = to_hugging_face(tiny_sam)
    (dropped,) = {SHARED, COPY} - {kept}
    del names[dropped]

    assert same(from_hugging_face(names), tiny_sam)


def test_two_values_of_the_shared_embedding_are_refused(
    tiny_sam: dict[str, Tensor],
) -> None:
    names = to_hugging_face(tiny_sam)
    names[COPY] = names[COPY] + 1

    with pytest.raises(ValueError, match=r"differ, but SAM has one positional embedding"):
        from_hugging_face(names)


@given(st.lists(st.sampled_from(["module.", "_orig_mod.", "model."]), max_size=4))
def test_whatever_is_before_every_name_is_taken_off(wrappers: list[str]) -> None:
    before = "".join(wrappers)
    tensors = {"mask_decoder.iou_token.weight": torch.zeros(1), "b": torch.ones(1)}

    assert same(unwrap({before + name: t for name, t in tensors.items()}), tensors)


def test_what_is_before_some_names_only_stays() -> None:
    names = ["module.a", "b"]

    assert list(unwrap({name: torch.zeros(1) for name in names})) == names
