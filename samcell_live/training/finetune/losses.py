"""The course of a run: what each step came to, and what follows from it.

Learning rate, best step and early stopping are functions of the history alone, so a run
that goes on from a checkpoint needs to remember nothing else.
"""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from samcell_live.training.finetune.settings import FinetuneSettings


class Step(NamedTuple):
    """One optimiser step: a line of ``losses.csv``."""

    step: int
    """Counted from 1."""
    loss: float
    """Mean squared error of the distance map, over the batch."""
    learning_rate: float
    validation_loss: float = math.nan
    """NaN where nothing was validated."""

    @property
    def is_validated(self) -> bool:
        """Whether there was a validation after this step."""
        return not math.isnan(self.validation_loss)


def schedule(done: int, settings: FinetuneSettings) -> float:
    """Fraction of the full learning rate: up linearly, then down linearly to 0.

    Parameters
    ----------
    done : int
        Steps before this one.
    settings : FinetuneSettings
    """
    if done < settings.warmup_steps:
        return (done + 1) / settings.warmup_steps
    return (settings.steps - done) / (settings.steps - settings.warmup_steps)


def validations(history: Sequence[Step]) -> list[Step]:
    """Give the steps after which there was a validation."""
    return [step for step in history if step.is_validated]


def best_step(history: Sequence[Step]) -> Step:
    """Give the step with the lowest validation loss, of equals the first.

    Raises
    ------
    ValueError
        If nothing was validated yet.
    """
    return min(validations(history), key=lambda step: step.validation_loss)


def is_out_of_patience(history: Sequence[Step], settings: FinetuneSettings) -> bool:
    """Whether the last validations, as many as the patience, all brought no improvement.

    An improvement is a loss more than `min_delta` below the lowest that counted as one.
    """
    lowest, fruitless = math.inf, 0
    for step in validations(history):
        if step.validation_loss < lowest - settings.min_delta:
            lowest, fruitless = step.validation_loss, 0
        else:
            fruitless += 1
    return fruitless >= settings.patience


def is_finished(history: Sequence[Step], settings: FinetuneSettings) -> bool:
    """Whether a run has done all its steps, or was stopped early for want of progress."""
    return len(history) >= settings.steps or is_out_of_patience(history, settings)


def write_losses(path: Path, history: Sequence[Step]) -> None:
    """Write the history as CSV; a validation loss that there is not is left empty."""
    unfinished = path.with_name(f"{path.name}.partial")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(Step._fields)
        for step in history:
            table.writerow(step if step.is_validated else (*step[:-1], ""))
    unfinished.replace(path)
