"""The loop of fine-tuning, on whatever devices Lightning Fabric brings together.

Fabric places, shares, casts and saves; the loop is our own because a killed run must go
on with the very same losses. Lightning's Trainer, when it goes on within an epoch, begins
its data anew unless the loader remembers its place, and leaves out a validation that was
due.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import torch
from torch.nn import functional
from torch.optim import AdamW

from samcell_live.training.finetune.checkpoint import (
    Provenance,
    load_checkpoint,
    save_checkpoint,
)
from samcell_live.training.finetune.crops import Crops, Share, load_crops
from samcell_live.training.finetune.losses import (
    Step,
    best_step,
    is_finished,
    schedule,
    write_losses,
)

if TYPE_CHECKING:
    from pathlib import Path

    from lightning.fabric import Fabric
    from torch import Tensor
    from torch.utils.data import DataLoader

    from samcell_live.segmentation.network import SamcellNetwork
    from samcell_live.training.finetune.settings import FinetuneSettings

    Part: TypeAlias = tuple[Tensor, Tensor]
    """Images and targets, (n, 1, side, side) each."""

logger = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.pt"
LOSSES = "losses.csv"


@dataclass(frozen=True, slots=True, eq=False)
class Listeners:
    """Who is told of a run's progress, in the first of its processes."""

    on_image: Callable[[int], None] = field(default=lambda _: None)
    """Told how many images of a folder are prepared."""
    on_step: Callable[[Step], None] = field(default=lambda _: None)
    stop: threading.Event = field(default_factory=threading.Event)
    """Set it to end, with a checkpoint, after the optimiser step at hand."""


class FinetuneLoop:
    """Trains a network in place, going on from its folder's checkpoint if there is one.

    Parameters
    ----------
    fabric : Fabric
        Launched.
    network : SamcellNetwork
    training, validation : Crops
    settings : FinetuneSettings
    folder : Path
        Exists; gets ``checkpoint.pt`` and ``losses.csv``.
    provenance : Provenance
        For the checkpoints.
    listeners : Listeners
    on_best : callable
        Given network and history, in the first process, when a validation was the best.
    """

    def __init__(
        self,
        fabric: Fabric,
        network: SamcellNetwork,
        training: Crops,
        validation: Crops,
        *,
        settings: FinetuneSettings,
        folder: Path,
        provenance: Provenance,
        listeners: Listeners,
        on_best: Callable[[SamcellNetwork, list[Step]], None],
    ) -> None:
        self._fabric = fabric
        self._plain = network
        self._training = training
        self._validation = validation
        self._settings = settings
        self._folder = folder
        self._provenance = provenance
        self._listeners = listeners
        self._on_best = on_best
        trained = [weight for weight in network.parameters() if weight.requires_grad]
        self._network, self._optimizer = fabric.setup(
            network,
            AdamW(
                trained,
                settings.learning_rate,
                betas=settings.betas,
                weight_decay=settings.weight_decay,
            ),
        )
        self.history: list[Step] = []
        """All steps, those before a resume included."""

    def run(self) -> list[Step]:
        """Train until the last step, the end of patience, or a stop; give the history.

        Raises
        ------
        RuntimeError
            If the loss is no number any more, or the crops do not fit in memory.
        """
        self._resume()
        self._network.train()
        parts = self._remaining_parts()
        ended = is_finished(self.history, self._settings)
        while not ended:
            step = self._validated(self._step(parts))
            self.history.append(step)
            self._tell(step)
            ended = is_finished(self.history, self._settings) or self._is_stopped()
            is_due = step.step % self._settings.checkpoint_every == 0
            if ended or is_due or step.is_validated:
                self._save()
        return self.history

    def _remaining_parts(self) -> Iterator[Part]:
        """Give this device's share of the steps still to come, part by part."""
        share = Share(
            range(len(self.history), self._settings.steps),
            self._settings,
            self._fabric.global_rank,
            self._fabric.world_size,
        )
        loader = load_crops(self._training, share, workers=self._settings.workers)
        return iter(self._placed(loader))

    def _step(self, parts: Iterator[Part]) -> Step:
        """Do one optimiser step; if it fails, keep what there was before it."""
        done, settings = len(self.history), self._settings
        rate = settings.learning_rate * schedule(done, settings)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        try:
            loss = self._differentiate(parts)
        except Exception as error:
            if self._fabric.world_size == 1:  # others would wait for this one for ever
                self._save()
            if isinstance(error, torch.OutOfMemoryError):
                raise RuntimeError(
                    f"{settings.batch // settings.accumulate} crops at once do not fit in "
                    f"the memory of {self._fabric.device}. Raise accumulate, which is "
                    f"{settings.accumulate}, set recompute, or use bfloat16."
                ) from error
            raise
        if not math.isfinite(loss):
            raise RuntimeError(
                f"The loss of step {done + 1} is {loss}. Lower the learning rate, which is "
                f"{settings.learning_rate:g}, or train in float32; the checkpoint in "
                f"{self._folder} is from before."
            )
        self._optimizer.step()
        self._optimizer.zero_grad()
        return Step(done + 1, loss, rate)

    def _differentiate(self, parts: Iterator[Part]) -> float:
        """Sum up the gradients of a batch's parts; give the loss of the whole batch."""
        n = self._settings.accumulate
        total = torch.zeros((), device=self._fabric.device)
        for part, (images, targets) in enumerate(islice(parts, n), start=1):
            more_to_come = part < n
            with self._fabric.no_backward_sync(self._network, enabled=more_to_come):
                loss = self._loss(images, targets) / n
                self._fabric.backward(loss)
            total += loss.detach()
        return self._over_devices(total, "mean")

    def _loss(self, images: Tensor, targets: Tensor) -> Tensor:
        return map_loss(self._network(images), targets)

    def _validated(self, step: Step) -> Step:
        """Validate after a step, if it is time to."""
        is_last = step.step == self._settings.steps
        if not is_last and step.step % self._settings.validate_every:
            return step
        return step._replace(validation_loss=self._validate())

    def _validate(self) -> float:
        """Mean squared error over the validation crops, each device taking some."""
        n, size = self._settings.validation_crops, self._settings.batch
        batches = [list(range(first, min(first + size, n))) for first in range(0, n, size)]
        own = batches[self._fabric.global_rank :: self._fabric.world_size]
        loader = load_crops(self._validation, own, workers=0)
        total = torch.zeros((), device=self._fabric.device)
        self._network.eval()
        with torch.no_grad():
            for images, targets in self._placed(loader):
                total += self._loss(images, targets) * len(images)
        self._network.train()
        return self._over_devices(total, "sum") / n

    def _placed(self, loader: DataLoader[Part]) -> Iterable[Part]:
        """Have a loader's batches on this process's device."""
        return cast(
            "Iterable[Part]",
            self._fabric.setup_dataloaders(loader, use_distributed_sampler=False),
        )

    def _over_devices(self, value: Tensor, how: Literal["mean", "sum"]) -> float:
        return float(cast("Tensor", self._fabric.all_reduce(value, reduce_op=how)))

    def _tell(self, step: Step) -> None:
        values = {"loss": step.loss, "learning_rate": step.learning_rate}
        if step.is_validated:
            values["validation_loss"] = step.validation_loss
        self._fabric.log_dict(values, step.step)
        if not self._fabric.is_global_zero:
            return
        if step.is_validated and best_step(self.history) == step:
            self._on_best(self._plain, self.history)
        self._listeners.on_step(step)

    def _is_stopped(self) -> bool:
        """Whether the first process was asked to stop; all must end after the same step."""
        asked = self._listeners.stop.is_set()
        if self._fabric.world_size == 1:
            return asked
        return bool(self._fabric.broadcast(asked))

    def _save(self) -> None:
        save_checkpoint(
            self._folder / CHECKPOINT,
            self._fabric,
            self._network,
            self._optimizer,
            self.history,
            self._provenance,
        )
        if self._fabric.is_global_zero:
            write_losses(self._folder / LOSSES, self.history)

    def _resume(self) -> None:
        path = self._folder / CHECKPOINT
        if path.exists():
            self.history = load_checkpoint(
                path, self._fabric, self._network, self._optimizer
            )
            logger.info("Going on after step %d of %s", len(self.history), path)


def map_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error of distance maps, over all pixels.

    A pixel whose target is NaN has no error, and is counted: so the loss of a batch is the
    mean of those of its parts, however it is divided.

    Parameters
    ----------
    logits, targets : (n, 1, side, side)
        The network's answer before its sigmoid, and distance maps.

    Returns
    -------
    () float32
    """
    predicted = torch.sigmoid(logits.float())
    wanted = torch.where(targets.isnan(), predicted.detach(), targets)
    return functional.mse_loss(predicted, wanted)
