"""The commands that train: ``train`` the starter, ``finetune`` SAMCell."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from samcell_live.cli.console import (
    explains_errors,
    out,
    print_json,
    progress_bars,
    stopping,
    work,
)
from samcell_live.cli.models import fetch_with_progress

if TYPE_CHECKING:
    from samcell_live.training.finetune.losses import Step as FinetuneStep
    from samcell_live.training.finetune.settings import FinetuneSettings
    from samcell_live.training.train import Step


@explains_errors
def train(
    config: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A YAML file.")
    ],
    *,
    folder: Annotated[
        Path, typer.Option("--out", help="Gets checkpoints, log, weights and pictures.")
    ],
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Last line: the scores as JSON.")
    ] = False,
) -> None:
    """Train the starter network; the same command goes on with a run that was stopped.

    Ctrl-C once writes a checkpoint and ends, with exit code 0; twice ends at once.
    """
    from samcell_live.training.run import train_starter
    from samcell_live.training.scores import mean_op_csb
    from samcell_live.training.settings import TrainingSettings

    settings = TrainingSettings.from_yaml(config)
    with work() as begun, stopping() as stop, progress_bars(disable=False) as bars:
        task = bars.add_task("trained", total=settings.steps)

        def show(step: Step) -> None:
            begun.set()
            bars.update(task, completed=step.step, description=f"loss {step.loss:.5f}")

        report = train_starter(settings, folder, device=device, on_step=show, stop=stop)
        done = bars.tasks[task].completed
    text = report.summary() if report else _stopped(done, settings.steps, folder)
    out.print(escape(text), soft_wrap=True)
    if json:
        scores = report.scores if report else ()
        print_json(
            weights=str(report.weights) if report else None,
            op_csb=mean_op_csb(scores) if scores else None,
        )


def require_lightning() -> None:
    """Refuse to fine-tune where what it needs is not installed.

    Raises
    ------
    ValueError
        If Lightning or TensorBoard is missing.
    """
    if find_spec("lightning") is None or find_spec("tensorboard") is None:
        raise ValueError(
            "Fine-tuning needs Lightning and TensorBoard, which are not installed here. "
            "Install them with: pip install 'samcell-live[train]'"
        )


@explains_errors
def finetune(
    config: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="A YAML file; or --images."),
    ] = None,
    *,
    folder: Annotated[
        Path, typer.Option("--out", help="Gets checkpoints, logs, weights and pictures.")
    ],
    images: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled images to learn from; may be given several times."),
    ] = None,
    validation: Annotated[
        list[Path] | None,
        typer.Option(help="Others to validate on. [default: every fifth is held back]"),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", help="Model to start from. [default: samcell-generalist]"),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps, at most.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Last line: the result as JSON.")
    ] = False,
) -> None:
    """Fine-tune SAMCell; the same command goes on with a run that was stopped or killed.

    Ctrl-C once writes a checkpoint and ends, with exit code 0; twice ends at once.
    """
    said = {"images": images, "validation": validation, "start": start, "steps": steps}
    settings = _finetune_settings(
        config, {name: value for name, value in said.items() if value is not None}
    )
    require_lightning()
    from samcell_live.training.finetune.loop import Listeners
    from samcell_live.training.finetune.run import finetune as fine_tune
    from samcell_live.training.finetune.run import is_first_process
    from samcell_live.training.finetune.settings import RANDOM

    first = is_first_process()
    if settings.start != RANDOM:
        fetch_with_progress(settings.start, for_training=True)
    with work() as begun, stopping() as stop, progress_bars(disable=not first) as bars:
        prepared = bars.add_task("images prepared", total=None)
        task = bars.add_task("trained", total=settings.steps)

        def show_image(n_done: int) -> None:
            bars.update(prepared, completed=n_done)

        def show(step: FinetuneStep) -> None:
            begun.set()
            bars.update(task, completed=step.step, description=f"loss {step.loss:.5f}")

        listeners = Listeners(on_image=show_image, on_step=show, stop=stop)
        report = fine_tune(settings, folder, device=device, listeners=listeners)
        done = bars.tasks[task].completed
    if not first:
        return
    text = report.summary() if report else _stopped(done, settings.steps, folder)
    out.print(escape(text), soft_wrap=True)
    if json:
        print_json(**(report.for_json() if report else {"weights": None}))


def _finetune_settings(config: Path | None, said: dict[str, object]) -> FinetuneSettings:
    """Settings of a file, or those that suit few images, and what was said besides."""
    from samcell_live.training.finetune.settings import FEW_IMAGES, FinetuneSettings

    if config is not None:
        given = FinetuneSettings.from_yaml(config).model_dump()
    elif "images" in said:
        given = FEW_IMAGES
    else:
        raise ValueError("There is nothing to learn from. Give a YAML file, or --images.")
    return FinetuneSettings.model_validate(given | said)


def _stopped(done: float, steps: int, folder: Path) -> str:
    return (
        f"Stopped after step {done:.0f} of {steps}, with a checkpoint in {folder}. "
        "The same command goes on from there."
    )
