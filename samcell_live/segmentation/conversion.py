"""From the tensor names of Hugging Face's SamModel to those of SAM itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

# Applied in this order, each to the result of the one before.
_RENAMINGS = (
    (r"^vision_encoder\.layers\.", "image_encoder.blocks."),
    (r"^vision_encoder\.", "image_encoder."),
    (r"^(image_encoder\.patch_embed)\.projection\.", r"\1.proj."),
    (r"^(image_encoder\.neck)\.conv1\.", r"\1.0."),
    (r"^(image_encoder\.neck)\.layer_norm1\.", r"\1.1."),
    (r"^(image_encoder\.neck)\.conv2\.", r"\1.2."),
    (r"^(image_encoder\.neck)\.layer_norm2\.", r"\1.3."),
    (
        r"^shared_image_embedding\.positional_embedding$",
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    ),
    (r"^(prompt_encoder)\.point_embed\.", r"\1.point_embeddings."),
    (r"^(prompt_encoder)\.mask_embed\.conv1\.", r"\1.mask_downscaling.0."),
    (r"^(prompt_encoder)\.mask_embed\.layer_norm1\.", r"\1.mask_downscaling.1."),
    (r"^(prompt_encoder)\.mask_embed\.conv2\.", r"\1.mask_downscaling.3."),
    (r"^(prompt_encoder)\.mask_embed\.layer_norm2\.", r"\1.mask_downscaling.4."),
    (r"^(prompt_encoder)\.mask_embed\.conv3\.", r"\1.mask_downscaling.6."),
    (r"^(mask_decoder)\.upscale_conv1\.", r"\1.output_upscaling.0."),
    (r"^(mask_decoder)\.upscale_layer_norm\.", r"\1.output_upscaling.1."),
    (r"^(mask_decoder)\.upscale_conv2\.", r"\1.output_upscaling.3."),
    (r"^(mask_decoder\.transformer)\.layer_norm_final_attn\.", r"\1.norm_final_attn."),
    # A multilayer perceptron's middle layer is layers.0 there and layers.1 here.
    (r"^(mask_decoder\..*(?:mlps\.\d|head))\.layers\.0\.", r"\1.layers.1."),
    (r"^(mask_decoder\..*(?:mlps\.\d|head))\.proj_in\.", r"\1.layers.0."),
    (r"^(mask_decoder\..*(?:mlps\.\d|head))\.proj_out\.", r"\1.layers.2."),
    (r"\.layer_norm(\d)\.", r".norm\1."),
)

# The same tensor as shared_image_embedding, saved a second time.
_DUPLICATE = "prompt_encoder.shared_embedding.positional_embedding"


def is_hugging_face(tensors: Mapping[str, Tensor]) -> bool:
    """Whether this is a state dict of Hugging Face's SamModel."""
    return any(name.startswith("vision_encoder.") for name in tensors)


def from_hugging_face(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors of Hugging Face's SamModel as SAM names them.

    Examples
    --------
    >>> list(from_hugging_face({"vision_encoder.layers.3.layer_norm1.bias": None}))
    ['image_encoder.blocks.3.norm1.bias']
    """
    return {_rename(name): tensor for name, tensor in tensors.items() if name != _DUPLICATE}


def _rename(name: str) -> str:
    for found, wanted in _RENAMINGS:
        name = re.sub(found, wanted, name)
    return name
