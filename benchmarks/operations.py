"""A SAM of random weights, and the operations that a tile costs in it."""

from __future__ import annotations

from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode, register_flop_formula
from transformers import SamConfig, SamModel

from samcell_live.segmentation.network import SamArchitecture, SamcellNetwork

VARIANTS: dict[str, dict[str, object]] = {
    "vit_b": {"global_attn_indexes": [2, 5, 8, 11]},
    "vit_l": {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "mlp_dim": 4096,
        "global_attn_indexes": [5, 11, 17, 23],
    },
    "vit_h": {
        "hidden_size": 1280,
        "num_hidden_layers": 32,
        "num_attention_heads": 16,
        "mlp_dim": 5120,
        "global_attn_indexes": [7, 15, 23, 31],
    },
}


def sam_model(variant: str, attention: str) -> Any:
    """Build transformers' SamModel with random weights, the same at every call."""
    torch.manual_seed(2)
    vision = VARIANTS[variant] | {"attn_implementation": attention}
    model = SamModel(SamConfig(vision_config=vision, attn_implementation=attention)).eval()
    for name, parameter in model.named_parameters():
        noise = torch.randn_like(parameter)
        if "rel_pos" in name or "pos_embed" in name:
            parameter.data = 0.2 * noise
        elif parameter.ndim > 1 and "embed" not in name:
            transposed = "upscale_conv" in name
            fan_in = parameter.shape[0] if transposed else parameter[0].numel()
            parameter.data = noise * fan_in**-0.5
        else:
            parameter.data += 0.1 * noise
    return model


def tile_operations(variant: str) -> tuple[float, float]:
    """Count a tile's operations: those of transformers, and those that are needed.

    The difference is the projection of the windows' padding.
    """
    with torch.device("meta"):
        model = sam_model(variant, "eager")
        pixels = torch.empty(1, 3, 1024, 1024)
    with FlopCounterMode(display=False) as counter:
        model(pixel_values=pixels, multimask_output=True)
    vision = model.config.vision_config
    grid, window = vision.image_size // vision.patch_size, vision.window_size
    padding = (-(-grid // window) * window) ** 2 - grid**2
    n_windowed = vision.num_hidden_layers - len(vision.global_attn_indexes)
    wasted = n_windowed * padding * 2 * 4 * vision.hidden_size**2  # q, k, v and joining
    counted = float(counter.get_total_flops())
    return counted, counted - wasted


@register_flop_formula(torch.ops.samcell_live.attend_by_rows)
def row_by_row_operations(queries: Any, *_: Any, **__: Any) -> int:
    """Count the two matrix products that the counter cannot see inside our operator."""
    n, heads, length, channels = queries
    return int(4 * n * heads * length**2 * channels)


def our_operations(variant: str) -> tuple[float, float]:
    """Count a tile's operations in our network: the fewest, and on a GPU uncompiled.

    There attention takes positions for further dimensions of queries and keys.
    """
    vision = SamConfig(vision_config=VARIANTS[variant]).vision_config
    architecture = SamArchitecture(
        width=vision.hidden_size,
        depth=vision.num_hidden_layers,
        heads=vision.num_attention_heads,
        mlp_ratio=vision.mlp_dim / vision.hidden_size,
        window=vision.window_size,
        global_blocks=tuple(vision.global_attn_indexes),
        grid=vision.image_size // vision.patch_size,
    )
    with FakeTensorMode(), torch.no_grad():
        network = SamcellNetwork(architecture)
        tile = torch.empty(1, 1, 256, 256)
        with FlopCounterMode(display=False) as fewest:
            network(tile)
        with torch.enable_grad(), FlopCounterMode(display=False) as augmented:
            network(tile)
    return float(fewest.get_total_flops()), float(augmented.get_total_flops())
