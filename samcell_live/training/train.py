"""Train the starter network: one plain loop over random crops."""

from __future__ import annotations

import csv
import logging
import math
import threading
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from samcell_live.training.augmentation import draw_crop
from samcell_live.training.workers import made_ahead

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from samcell_live.segmentation.starter import StarterNetwork
    from samcell_live.training.fields import Source
    from samcell_live.training.settings import TrainingSettings

logger = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.pt"
LOG = "log.csv"
STEEPEST_STEP = 1.0
"""Gradients longer than this are shortened to it."""
SETTLING_BATCHES = 100


class Step(NamedTuple):
    """One optimiser step: a line of the log."""

    step: int
    loss: float
    learning_rate: float


def fit(
    network: StarterNetwork,
    sources: tuple[Source, ...],
    settings: TrainingSettings,
    run_folder: Path,
    *,
    on_step: Callable[[Step], None],
    stop: threading.Event | None = None,
) -> list[Step]:
    """Train a network in place, going on from the run folder's checkpoint if it has one.

    Every step draws its crops from a generator seeded by the step's number, so a run
    that was stopped and goes on sees the same crops as one that was not.

    Parameters
    ----------
    network : StarterNetwork
        Trained where its weights lie.
    sources : tuple of Source
    settings : TrainingSettings
    run_folder : Path
        Exists; gets ``checkpoint.pt`` and ``log.csv``.
    on_step : callable
        Told of every step.
    stop : threading.Event, optional
        Set it to end, with a checkpoint, after the step at hand.

    Returns
    -------
    list of Step
        The whole history, steps before a resume included. Shorter than the settings'
        steps if it was stopped.
    """
    stop = stop or threading.Event()
    optimizer = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    history = _resume(run_folder / CHECKPOINT, network, optimizer)
    device = next(network.parameters()).device
    torch.backends.cudnn.benchmark = True  # all batches have one shape
    network.train()
    draw = partial(draw_batch, sources, settings)
    to_do = range(len(history), settings.steps)
    batches = made_ahead(draw, to_do, settings.workers)
    for done, (image, target) in zip(to_do, batches, strict=True):
        learning_rate = settings.learning_rate * schedule(done, settings)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        loss = _loss(network, image.to(device), target.to(device), settings)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(network.parameters(), STEEPEST_STEP)
        optimizer.step()
        history.append(Step(done + 1, loss.item(), learning_rate))
        on_step(history[-1])
        is_last = done + 1 == settings.steps or stop.is_set()
        if is_last or (done + 1) % settings.checkpoint_every == 0:
            _save(run_folder, network, optimizer, history)
        if is_last:
            break
    network.eval()
    return history


def schedule(done: int, settings: TrainingSettings) -> float:
    """Fraction of the full learning rate: linear warm-up, then a cosine down to 0."""
    if done < settings.warmup_steps:
        return (done + 1) / settings.warmup_steps
    decayed = (done - settings.warmup_steps) / (settings.steps - settings.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * decayed))


def draw_batch(
    sources: tuple[Source, ...], settings: TrainingSettings, done: int
) -> tuple[Tensor, Tensor]:
    """Draw the images and distance maps of one step, each (batch, 1, side, side)."""
    random = np.random.default_rng([settings.seed, done])
    crops = [draw_crop(sources, settings, random) for _ in range(settings.batch)]
    image = torch.from_numpy(np.stack([crop.image for crop in crops]))[:, None]
    target = torch.from_numpy(np.stack([crop.distance for crop in crops]))[:, None]
    return image.contiguous(memory_format=torch.channels_last), target


def settle_norms(
    network: StarterNetwork, sources: tuple[Source, ...], settings: TrainingSettings
) -> None:
    """Measure anew, with the final weights, what the batch norms subtract and divide by.

    While training they follow the last few batches, which differ: one may be mostly
    nuclei. Afterwards they are plain means over `SETTLING_BATCHES` batches.
    """
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean
    device = next(network.parameters()).device
    network.train()
    draw = partial(draw_batch, sources, settings)
    further = range(settings.steps, settings.steps + SETTLING_BATCHES)
    with torch.no_grad():
        for image, _ in made_ahead(draw, further, settings.workers):
            _logits(network, image.to(device), settings)
    network.eval()


def _loss(
    network: StarterNetwork, image: Tensor, target: Tensor, settings: TrainingSettings
) -> Tensor:
    """Cross-entropy of the distance map.

    That of a number between 0 and 1 is least at that number, and its slope does not
    vanish where the network is wrong and sure (as StarDist learns its own distances:
    Schmidt et al., MICCAI 2018).
    """
    logits = _logits(network, image, settings)
    return functional.binary_cross_entropy_with_logits(logits.float(), target)


def _logits(network: StarterNetwork, image: Tensor, settings: TrainingSettings) -> Tensor:
    low_precision = settings.precision == "bfloat16"
    with torch.autocast(image.device.type, torch.bfloat16, enabled=low_precision):
        logits: Tensor = network(image)
    return logits


def _save(
    run_folder: Path,
    network: StarterNetwork,
    optimizer: torch.optim.Optimizer,
    history: list[Step],
) -> None:
    """Write a checkpoint beside the last one, then let it take its place."""
    unfinished = run_folder / f"{CHECKPOINT}.unfinished"
    torch.save(
        {
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "history": [tuple(step) for step in history],
        },
        unfinished,
    )
    unfinished.replace(run_folder / CHECKPOINT)
    with (run_folder / LOG).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(Step._fields)
        table.writerows(history)


def _resume(
    path: Path, network: StarterNetwork, optimizer: torch.optim.Optimizer
) -> list[Step]:
    if not path.exists():
        return []
    checkpoint = torch.load(path, weights_only=True, map_location="cpu")
    network.load_state_dict(checkpoint["network"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    history = [Step(*step) for step in checkpoint["history"]]
    logger.info("Going on after step %d of %s", len(history), path)
    return history
