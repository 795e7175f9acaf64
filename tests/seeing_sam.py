"""A SAM that was never trained and yet sees cells, to compare implementations with.

On random weights alone a distance map is noise, or the same for every image, and two
implementations would agree on it too easily.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from samcell_package import sam_processor
from torch import Tensor
from torch.nn import functional

from samcell_live.records import Labels
from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.reference import GreyBytes
from samcell_live.simulation.culture import Culture
from samcell_live.simulation.rendering import render_field, true_labels

PIXEL_SIZE_UM = 0.87


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A simulated field of cells as an 8-bit camera shows it, and the truth about it."""

    image: GreyBytes
    labels: Labels


def simulated_field(shape_px: tuple[int, int]) -> Field:
    """Photograph a culture of 48 hours."""
    culture, hours = Culture(seed=1), 48
    counts = render_field(
        culture, 0, 0, 0, hours, shape_px=shape_px, pixel_size_um=PIXEL_SIZE_UM, bits=12
    )
    labels = true_labels(
        culture, 0, 0, hours, shape_px=shape_px, pixel_size_um=PIXEL_SIZE_UM
    )
    return Field((counts // 16).astype(np.uint8), labels)


def seeing_sam(**vision_config: Any) -> Any:
    """Build transformers' SamModel with random weights, the last of them fitted.

    The first multimask output is a weighted sum of features. Least squares gives the
    weights that come closest to a field's true distance map, so that the output rises
    and falls with cells.

    Parameters
    ----------
    **vision_config
        What differs from ViT-B, in transformers' names.
    """
    transformers: Any = importlib.import_module("transformers")
    config = transformers.SamConfig(vision_config=vision_config)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = transformers.SamModel(config).eval()
        for parameter in model.parameters():
            parameter.data += 0.02 * torch.randn_like(parameter)
    decoder = model.mask_decoder
    for enlarging in (decoder.upscale_conv1, decoder.upscale_conv2):
        # Kernels nearly alike for all four pixels, or their pattern would drown the image.
        mean = enlarging.weight.data.mean((2, 3), keepdim=True)
        enlarging.weight.data[:] = mean + 0.2 * (enlarging.weight.data - mean)
    last = decoder.output_hypernetworks_mlps[1].proj_out
    last.weight.data[:] = 0
    last.bias.data[:] = _fit(model, simulated_field((256, 256)))
    return model


def _fit(model: Any, field: Field) -> Tensor:
    """Weigh the model's features so that they sum to a field's distance map (logits)."""
    features = []
    hook = model.mask_decoder.upscale_conv2.register_forward_hook(
        lambda module, inputs, output: features.append(functional.gelu(output))
    )
    colours = np.stack([field.image] * 3, axis=-1)
    seen = sam_processor()(colours, return_tensors="pt")
    with torch.inference_mode():
        model(pixel_values=seen["pixel_values"], multimask_output=True)
    hook.remove()
    wanted = torch.logit(torch.from_numpy(distance_map(field.labels)), eps=0.01)
    fit = torch.linalg.lstsq(features[0][0].flatten(1).T, wanted.reshape(-1, 1))
    weights: Tensor = fit.solution[:, 0]
    return weights
