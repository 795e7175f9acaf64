"""The command that trains: ``train``."""

from __future__ import annotations

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

if TYPE_CHECKING:
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
    if report is None:
        text = (
            f"Stopped after step {done:.0f} of {settings.steps}, with a checkpoint in "
            f"{folder}. The same command goes on from there."
        )
    else:
        text = report.summary()
    out.print(escape(text), soft_wrap=True)
    if json:
        scores = report.scores if report else ()
        print_json(
            weights=str(report.weights) if report else None,
            op_csb=mean_op_csb(scores) if scores else None,
        )
