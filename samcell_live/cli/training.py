"""The command that trains: ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from samcell_live.cli.console import explains_errors, out, print_json, progress_bars

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
    """Train the starter network; the same command goes on with a run that was stopped."""
    from samcell_live.training.run import train_starter
    from samcell_live.training.scores import mean_op_csb
    from samcell_live.training.settings import TrainingSettings

    settings = TrainingSettings.from_yaml(config)
    with progress_bars(disable=False) as bars:
        task = bars.add_task("trained", total=settings.steps)

        def show(step: Step) -> None:
            bars.update(task, completed=step.step, description=f"loss {step.loss:.5f}")

        report = train_starter(settings, folder, device=device, on_step=show)
    out.print(escape(report.summary()), soft_wrap=True)
    if json:
        print_json(
            weights=str(report.weights),
            op_csb=mean_op_csb(report.scores) if report.scores else None,
        )
