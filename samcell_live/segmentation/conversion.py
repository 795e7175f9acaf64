"""Between the tensor names of Hugging Face's SamModel and those of SAM itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

T = TypeVar("T")

# Beginnings of names: Hugging Face's, SAM's. A star stands for a number. The first that
# fits is used, so the longer of two stands first; names that fit none are the same in both.
_BEGINNINGS = (
    ("vision_encoder.layers.*.layer_norm*.", "image_encoder.blocks.*.norm*."),
    ("vision_encoder.layers.*.", "image_encoder.blocks.*."),
    ("vision_encoder.patch_embed.projection.", "image_encoder.patch_embed.proj."),
    ("vision_encoder.neck.conv1.", "image_encoder.neck.0."),
    ("vision_encoder.neck.layer_norm1.", "image_encoder.neck.1."),
    ("vision_encoder.neck.conv2.", "image_encoder.neck.2."),
    ("vision_encoder.neck.layer_norm2.", "image_encoder.neck.3."),
    ("vision_encoder.", "image_encoder."),
    (
        "shared_image_embedding.positional_embedding",
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    ),
    ("prompt_encoder.point_embed.", "prompt_encoder.point_embeddings."),
    ("prompt_encoder.mask_embed.conv1.", "prompt_encoder.mask_downscaling.0."),
    ("prompt_encoder.mask_embed.layer_norm1.", "prompt_encoder.mask_downscaling.1."),
    ("prompt_encoder.mask_embed.conv2.", "prompt_encoder.mask_downscaling.3."),
    ("prompt_encoder.mask_embed.layer_norm2.", "prompt_encoder.mask_downscaling.4."),
    ("prompt_encoder.mask_embed.conv3.", "prompt_encoder.mask_downscaling.6."),
    ("mask_decoder.upscale_conv1.", "mask_decoder.output_upscaling.0."),
    ("mask_decoder.upscale_layer_norm.", "mask_decoder.output_upscaling.1."),
    ("mask_decoder.upscale_conv2.", "mask_decoder.output_upscaling.3."),
    (
        "mask_decoder.transformer.layer_norm_final_attn.",
        "mask_decoder.transformer.norm_final_attn.",
    ),
    (
        "mask_decoder.transformer.layers.*.layer_norm*.",
        "mask_decoder.transformer.layers.*.norm*.",
    ),
    # A multilayer perceptron's middle layer is layers.0 there and layers.1 here.
    *(
        (f"mask_decoder.{mlp}.{theirs}.", f"mask_decoder.{mlp}.layers.{ours}.")
        for mlp in ("output_hypernetworks_mlps.*", "iou_prediction_head")
        for theirs, ours in (("proj_in", 0), ("layers.0", 1), ("proj_out", 2))
    ),
)

_SHARED = "shared_image_embedding.positional_embedding"
_DUPLICATE = "prompt_encoder.shared_embedding.positional_embedding"
"""The same tensor, which SamModel has in two places."""

_WRAPPERS = ("module.", "_orig_mod.", "model.")
"""Put before every name by DataParallel, torch.compile and Lightning."""


def is_hugging_face(tensors: Mapping[str, Tensor]) -> bool:
    """Whether this is a state dict of Hugging Face's SamModel."""
    return any(name.startswith("vision_encoder.") for name in tensors)


def from_hugging_face(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors of Hugging Face's SamModel as SAM names them.

    Raises
    ------
    ValueError
        If the shared positional embedding is there twice, with different values.

    Examples
    --------
    >>> list(from_hugging_face({"vision_encoder.layers.3.layer_norm1.bias": None}))
    ['image_encoder.blocks.3.norm1.bias']
    """
    own = {name: tensor for name, tensor in tensors.items() if name != _DUPLICATE}
    if _DUPLICATE in tensors:
        # A file without repetitions may keep either of the two.
        shared = own.setdefault(_SHARED, tensors[_DUPLICATE])
        if not shared.equal(tensors[_DUPLICATE]):
            raise ValueError(
                f"{_SHARED} and {_DUPLICATE} differ, but SAM has one positional "
                "embedding. Give weights as SamModel saves them."
            )
    return {_rename(name, _TO_SAM): tensor for name, tensor in own.items()}


def to_hugging_face(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename SAM's tensors as Hugging Face's SamModel names them; undoes the other.

    Examples
    --------
    >>> list(to_hugging_face({"image_encoder.blocks.3.norm1.bias": None}))
    ['vision_encoder.layers.3.layer_norm1.bias']
    """
    renamed = {_rename(name, _TO_HUGGING_FACE): tensors[name] for name in tensors}
    if _SHARED in renamed:
        renamed[_DUPLICATE] = renamed[_SHARED]
    return renamed


def unwrap(tensors: Mapping[str, T]) -> dict[str, T]:
    """Take off what training tools put before every name, if it is before every name.

    Examples
    --------
    >>> unwrap({"module._orig_mod.a.weight": 1, "module._orig_mod.b.weight": 2})
    {'a.weight': 1, 'b.weight': 2}
    """
    names = list(tensors)
    while prefix := _shared_wrapper(names):
        names = [name.removeprefix(prefix) for name in names]
    return dict(zip(names, tensors.values(), strict=True))


def _shared_wrapper(names: list[str]) -> str | None:
    for wrapper in _WRAPPERS:
        if names and all(name.startswith(wrapper) for name in names):
            return wrapper
    return None


def _rule(found: str, wanted: str) -> tuple[re.Pattern[str], str]:
    """Turn two beginnings into a pattern and what is put in its place."""
    parts = iter(range(1, wanted.count("*") + 1))
    return (
        re.compile(re.escape(found).replace(r"\*", r"(\d+)")),
        re.sub(r"\*", lambda _: rf"\g<{next(parts)}>", wanted),
    )


_TO_SAM = tuple(_rule(theirs, ours) for theirs, ours in _BEGINNINGS)
_TO_HUGGING_FACE = tuple(_rule(ours, theirs) for theirs, ours in _BEGINNINGS)


def _rename(name: str, rules: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    for found, wanted in rules:
        if match := found.match(name):
            return match.expand(wanted) + name[match.end() :]
    return name
