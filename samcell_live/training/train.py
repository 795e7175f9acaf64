"""Train the starter network: one loop, from labelled fields to a weights file."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from samcell_live.segmentation.starter import StarterNetwork
from samcell_live.training.augmentation import draw_crop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from samcell_live.training.fields import Source
    from samcell_live.training.settings import TrainingSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One optimiser step, as logged."""

    step: int
    loss: float
    learning_rate: float


def fit(
    network: StarterNetwork,
    sources: tuple[Source, ...],
    settings: TrainingSettings,
    run_folder: Path,
    *,
    device: torch.device,
    on_step: Callable[[Step], None],
) -> None:
    """Train a network in place, going on from the run folder's checkpoint if it has one.

    Every step draws its crops from a generator seeded by the step's number, so a run
    that was stopped and goes on takes the same crops as one that was not.
    """
    optimizer = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    checkpoint = run_folder / "checkpoint.pt"
    done = _resume(checkpoint, network, optimizer) if checkpoint.exists() else 0
    network.train()
    for step in range(done, settings.steps):
        learning_rate = settings.learning_rate * schedule(step, settings)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        image, target = draw_batch(sources, settings, step, device)
        loss = _loss(network, image, target, settings)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        on_step(Step(step + 1, loss.item(), learning_rate))
        if (step + 1) % settings.checkpoint_every == 0 or step + 1 == settings.steps:
            _save(checkpoint, network, optimizer, step + 1)
    network.eval()


def schedule(step: int, settings: TrainingSettings) -> float:
    """Fraction of the full learning rate: linear warm-up, then a cosine down to 0."""
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / max(settings.steps - settings.warmup_steps, 1)
    return 0.5 * (1 + math.cos(math.pi * done))


def draw_batch(
    sources: tuple[Source, ...], settings: TrainingSettings, step: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Draw the images and distance maps of one step, each (batch, 1, side, side)."""
    random = np.random.default_rng([settings.seed, step])
    crops = [draw_crop(sources, settings.crop_px, random) for _ in range(settings.batch)]
    image = torch.from_numpy(np.stack([crop.image for crop in crops])[:, None])
    target = torch.from_numpy(np.stack([crop.distance for crop in crops])[:, None])
    channels_last = torch.channels_last
    return image.to(device, memory_format=channels_last), target.to(device)


def _loss(
    network: StarterNetwork, image: Tensor, target: Tensor, settings: TrainingSettings
) -> Tensor:
    low_precision = settings.precision == "bfloat16"
    with torch.autocast(image.device.type, torch.bfloat16, enabled=low_precision):
        logits = network(image)
    return functional.mse_loss(torch.sigmoid(logits.float()), target)


def _save(
    path: Path, network: StarterNetwork, optimizer: torch.optim.Optimizer, step: int
) -> None:
    """Write a checkpoint beside the last one, then take its place."""
    unfinished = path.with_suffix(".unfinished")
    torch.save(
        {
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "step": step,
        },
        unfinished,
    )
    unfinished.replace(path)


def _resume(path: Path, network: StarterNetwork, optimizer: torch.optim.Optimizer) -> int:
    checkpoint = torch.load(path, weights_only=True, map_location="cpu")
    network.load_state_dict(checkpoint["network"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    return int(checkpoint["step"])
