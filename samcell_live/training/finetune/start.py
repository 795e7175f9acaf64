"""The network that fine-tuning starts from, and which of its weights may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from samcell_live.segmentation.decoder import MASK
from samcell_live.segmentation.formats import read_weights
from samcell_live.segmentation.models import build_samcell
from samcell_live.segmentation.network import SamArchitecture, SamcellNetwork
from samcell_live.segmentation.weights import find_weights
from samcell_live.segmentation.weights.terms import terms_of
from samcell_live.training.finetune.lora import adapt_encoder
from samcell_live.training.finetune.settings import RANDOM

if TYPE_CHECKING:
    from samcell_live.training.finetune.settings import FinetuneSettings

VIT_B = SamArchitecture(
    width=768,
    depth=12,
    heads=12,
    mlp_ratio=4.0,
    window=14,
    global_blocks=(2, 5, 8, 11),
    grid=64,
)
"""What random weights are drawn for."""


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """A network before its first step, and where it comes from."""

    network: SamcellNetwork
    name: str
    sha256: str
    terms: str


def find_start(settings: FinetuneSettings) -> Start:
    """Build the network to start from, with what is not to be trained frozen.

    Raises
    ------
    ValueError
        If there are no such weights, or they are not those of a SAM.
    OSError
        If they cannot be fetched.
    """
    start = _random(settings.seed) if settings.start == RANDOM else _read(settings.start)
    choose_trained(start.network, settings)
    return start


def choose_trained(network: SamcellNetwork, settings: FinetuneSettings) -> None:
    """Freeze what has no part in the map, and of the encoder what the settings say.

    The prompt encoder is frozen from the beginning. Of the decoder, what only judges
    masks or makes the other three would get no gradient, which several GPUs refuse.
    """
    decoder = network.mask_decoder
    decoder.iou_prediction_head.requires_grad_(False)
    for number, mlp in enumerate(decoder.output_hypernetworks_mlps):
        mlp.requires_grad_(number == MASK)
    if settings.encoder == "freeze":
        network.image_encoder.requires_grad_(False)
    elif settings.encoder == "lora":
        adapt_encoder(network, settings.lora, settings.seed)
    network.recomputes_blocks = settings.recompute


def _random(seed: int) -> Start:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SamcellNetwork(VIT_B)
    return Start(
        network,
        f"{RANDOM} (seed {seed})",
        "none",
        "No weights of others: it began at random.",
    )


def _read(model: str) -> Start:
    weights = read_weights(find_weights(model, for_training=True))
    if weights.starter is not None:
        raise ValueError(
            f"{model} is a starter network, which `samcell-live train` trains. "
            "Fine-tuning starts from weights of SAM or SAMCell, such as sam-vit-b."
        )
    network = build_samcell(weights.tensors)
    return Start(network, model, weights.sha256, terms_of(model, weights))
