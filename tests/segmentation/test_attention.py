"""Each way to attend equals SAM's own attention, and so do its gradients."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_anything.modeling.image_encoder import add_decomposed_rel_pos
from torch import Tensor

from samcell_live.segmentation import attention
from samcell_live.segmentation.attention import (
    attend,
    attend_augmented,
    attend_by_rows,
    attend_with_lookups,
)


class Inputs(NamedTuple):
    """What `attend` takes."""

    queries: Tensor
    keys: Tensor
    values: Tensor
    vertical: Tensor
    horizontal: Tensor


def inputs(side: int, *, n: int = 2, heads: int = 3, channels: int = 8) -> Inputs:
    random = torch.Generator().manual_seed(side)
    heads_of = torch.randn(3, n, heads, side * side, channels, generator=random)
    tables = torch.randn(2, 2 * side - 1, channels, generator=random) / channels**0.5
    return Inputs(*heads_of, *tables)


def attend_as_sam(given_: Inputs) -> Tensor:
    """Attention as segment_anything writes it, scores and all."""
    queries, keys, values, vertical, horizontal = given_
    n, heads, length, channels = queries.shape
    side = (vertical.shape[0] + 1) // 2
    scores = (queries * channels**-0.5) @ keys.mT
    scores = add_decomposed_rel_pos(
        scores.flatten(0, 1),
        queries.flatten(0, 1),
        vertical,
        horizontal,
        (side, side),
        (side, side),
    )
    shares: Tensor = scores.view(n, heads, length, length).softmax(-1)
    return shares @ values


def by_position(given_: Inputs) -> tuple[Tensor, Tensor]:
    side = (given_.vertical.shape[0] + 1) // 2
    return attention._relative_scores(
        given_.queries, given_.vertical, given_.horizontal, side
    )


@given(side=st.integers(1, 6), channels=st.sampled_from([4, 5, 8]))
def test_attending_equals_sams_own(side: int, channels: int) -> None:
    given_ = inputs(side, channels=channels)

    torch.testing.assert_close(attend(*given_), attend_as_sam(given_), rtol=0, atol=2e-6)


@settings(max_examples=20)
@given(side=st.integers(1, 5), scores_bytes=st.integers(1, 4000))
def test_attending_row_by_row_equals_sams_own(side: int, scores_bytes: int) -> None:
    given_ = inputs(side)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "SCORES_BYTES", scores_bytes)
        ours = attend_by_rows(*given_[:3], *by_position(given_))

    torch.testing.assert_close(ours, attend_as_sam(given_), rtol=0, atol=2e-6)


@pytest.mark.slow
def test_lookups_in_a_compiled_kernel_equal_sams_own(compiler: None) -> None:
    given_ = inputs(4, channels=16)

    with torch.no_grad():
        ours = torch.compile(attend_with_lookups, fullgraph=True)(
            *given_[:3], *by_position(given_)
        )

    torch.testing.assert_close(ours, attend_as_sam(given_), rtol=0, atol=2e-6)


@pytest.mark.parametrize("channels", [64, 80], ids=["vit_b and vit_l", "vit_h"])
@pytest.mark.parametrize("way", [attend_augmented, attend_by_rows])
def test_whole_tiles_of_the_published_sizes_equal_sams_own(
    way: object, channels: int
) -> None:
    given_ = inputs(64, n=1, heads=1, channels=channels)
    assert callable(way)

    ours = way(*given_[:3], *by_position(given_))

    torch.testing.assert_close(ours, attend_as_sam(given_), rtol=0, atol=5e-6)


def test_long_attention_without_gradients_goes_row_by_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_ = inputs(4)
    monkeypatch.setattr(attention, "SCORES_BYTES", 64)

    with torch.no_grad():
        row_by_row = attend_by_rows(*given_[:3], *by_position(given_))
        assert torch.equal(attend(*given_), row_by_row)
    assert not torch.equal(attend(*given_), row_by_row)  # differentiable: other rounding


def test_gradients_equal_those_of_sams_own() -> None:
    given_ = Inputs(*(tensor.requires_grad_() for tensor in inputs(3)))
    weights = torch.randn(2, 3, 9, 8, generator=torch.Generator().manual_seed(1))

    ours = torch.autograd.grad((attend(*given_) * weights).sum(), given_)
    theirs = torch.autograd.grad((attend_as_sam(given_) * weights).sum(), given_)

    for our, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(our, their, rtol=1e-4, atol=1e-5)


def test_the_compiler_knows_the_row_by_row_operator() -> None:
    given_ = inputs(3)

    checks = torch.library.opcheck(
        attend_by_rows,
        (*given_[:3], *by_position(given_)),
        test_utils=("test_schema", "test_faketensor"),
    )

    assert set(checks.values()) == {"SUCCESS"}
