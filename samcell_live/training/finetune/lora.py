"""Low-rank adaptation: a weight learns a change of low rank, and itself stays.

Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022, equation 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.utils import parametrize

if TYPE_CHECKING:
    from torch import Tensor

    from samcell_live.segmentation.network import SamcellNetwork
    from samcell_live.training.finetune.settings import Lora


class LowRankChange(nn.Module):
    """Adds ``alpha / rank * B @ A`` to a weight; B begins at 0, and so does the change.

    Parameters
    ----------
    weight : (outputs, inputs) Tensor
        Whose shape, device and dtype the change has.
    rank : int
    alpha : float
    """

    def __init__(self, weight: Tensor, rank: int, alpha: float) -> None:
        super().__init__()
        outputs, inputs = weight.shape
        self.down = nn.Parameter(weight.new_empty(rank, inputs))
        self.up = nn.Parameter(weight.new_zeros(outputs, rank))
        self.scale = alpha / rank
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, weight: Tensor) -> Tensor:
        """Give the changed weight."""
        return weight + self.scale * (self.up @ self.down)


def adapt_encoder(network: SamcellNetwork, lora: Lora, seed: int) -> None:
    """Freeze the image encoder, and let its attention learn changes of low rank.

    Parameters
    ----------
    network : SamcellNetwork
        Changed where it is.
    lora : Lora
    seed : int
        Of the changes' random halves.
    """
    network.image_encoder.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for block in network.image_encoder.blocks:
            for name in lora.layers:
                linear = getattr(block.attn, name)
                change = LowRankChange(linear.weight, lora.rank, lora.alpha)
                parametrize.register_parametrization(linear, "weight", change)


@torch.no_grad()
def merged(network: SamcellNetwork) -> dict[str, Tensor]:
    """Give a network's state dict in SAM's names, low-rank changes added to their weights.

    The network itself stays as it is.
    """
    tensors = dict(network.state_dict())
    for name, module in network.named_modules():
        if parametrize.is_parametrized(module, "weight"):
            parts = [it for it in tensors if it.startswith(f"{name}.parametrizations.")]
            for part in parts:
                del tensors[part]
            tensors[f"{name}.weight"] = module.weight
    return {name: tensor.detach().cpu() for name, tensor in tensors.items()}
