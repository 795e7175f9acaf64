"""Checkpoints: all that a run needs to go on, and what a person needs to know of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import lightning
import torch

import samcell_live
from samcell_live.training.finetune.losses import Step

if TYPE_CHECKING:
    from pathlib import Path

    from lightning.fabric import Fabric

    from samcell_live.training.finetune.settings import FinetuneSettings


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a checkpoint says about itself, as plain text under ``about``."""

    settings: FinetuneSettings
    start: str
    start_sha256: str
    trained_on: tuple[str, ...]

    def text(self, step: int) -> str:
        """Say it as JSON.

        Parameters
        ----------
        step : int
            Optimiser steps done.
        """
        about = {
            "what": "Fine-tuning of SAMCell, after an optimiser step. The command that "
            "made this goes on from it; best.safetensors beside it segments.",
            "step": step,
            "start": self.start,
            "start_sha256": self.start_sha256,
            "trained_on": self.trained_on,
            "samcell_live": samcell_live.__version__,
            "torch": torch.__version__,
            "lightning": lightning.__version__,
            "settings": self.settings.model_dump(mode="json"),
        }
        return json.dumps(about, indent=2)


def save_checkpoint(
    path: Path,
    fabric: Fabric,
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    history: list[Step],
    provenance: Provenance,
) -> None:
    """Write a checkpoint beside the last one, then let it take its place.

    Every process of a run calls it; the first writes.
    """
    state: dict[str, Any] = {
        "about": provenance.text(len(history)),
        "model": network,
        "optimizer": optimizer,
        "history": [tuple(step) for step in history],
    }
    unfinished = path.with_name(f"{path.name}.partial")
    fabric.save(unfinished, state)
    if fabric.is_global_zero:
        unfinished.replace(path)
    fabric.barrier()


def load_checkpoint(
    path: Path, fabric: Fabric, network: torch.nn.Module, optimizer: torch.optim.Optimizer
) -> list[Step]:
    """Put network and optimiser back where they were, and give the history."""
    state: dict[str, Any] = {"model": network, "optimizer": optimizer}
    rest = fabric.load(path, state, strict=False, weights_only=True)
    return [Step(*step) for step in rest["history"]]
