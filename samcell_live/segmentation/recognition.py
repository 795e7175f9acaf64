"""Tell what weights belong to that are not SAM's, so that the error can say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_POSITION = ("image_encoder.pos_embed", "vision_encoder.pos_embed")
"""What every SAM has, in its own names and in Hugging Face's."""

# Names of tensors that others have and SAM lacks; the first that is found tells.
_OTHERS = (
    (r"memory_(attention|encoder)\.|(sam_)?mask_decoder\.obj_score_token", "SAM 2"),
    (r"image_encoder\.trunk\.|vision_encoder\.backbone\.", "SAM 2"),
    (r"image_encoder\.(patch_embed\.seq|layers\.0)\.", "MobileSAM"),
    (r"mask_decoder\.(hf_token|compress_vit_feat)", "HQ-SAM"),
    (r"mask_decoder\.final_output_upscaling_layers\.", "EfficientSAM"),
    (r".*\.(Adapter|lora_A|lora_B|linear_a_q)\b", "a SAM with adapters"),
    (r"encoder\.pos_embed$", "Cellpose-SAM"),
    (r"stem\.0\.weight$", "a starter network without its header"),
    (r"layer1\.0\.conv1\.weight$", "a ResNet"),
    (r"blocks\.0\.attn\.qkv\.|(.*\.)?encoder\.layer\.0\.", "a vision transformer"),
)


def refuse_other_networks(path: Path, tensors: Collection[str]) -> None:
    """Refuse weights that are not of SAM's architecture, in either naming.

    Parameters
    ----------
    path : Path
        Their file, for the message.
    tensors : collection of str
        Their names, as in a state dict.

    Raises
    ------
    ValueError
        If they are of another network; the message names it, or what it has instead.
    """
    other = recognise_other(tensors)
    if other is None and any(name in tensors for name in _POSITION):
        return
    found = other or f"tensors such as {', '.join(list(tensors)[:3]) or 'none at all'}"
    raise ValueError(
        f"{path} holds {found}, not SAM: these weights lack the tensor {_POSITION[0]}, or "
        "have what SAM has not. Give weights of SAM (the first version, ViT-B, L or H), of "
        "SAMCell, or of our starter with its header."
    )


def recognise_other(tensors: Collection[str]) -> str | None:
    """Name the network, known and not SAM, that a state dict belongs to.

    Examples
    --------
    >>> recognise_other(["image_encoder.patch_embed.seq.0.c.weight"])
    'MobileSAM'
    """
    for pattern, network in _OTHERS:
        if any(re.match(pattern, name) for name in tensors):
            return network
    return None
