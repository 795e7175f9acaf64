"""The command ``samcell-live``: each command is one function that calls one other."""

from __future__ import annotations

import logging
from typing import Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler

from samcell_live.cli import (
    ablation,
    data,
    distil,
    doctor,
    evaluate,
    live,
    models,
    offline,
    segment,
    training,
    tuning,
)
from samcell_live.memory import reuse_freed_memory

app = typer.Typer(
    name="samcell-live",
    help="Watch living cell cultures while a microscope acquires them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command()(live.demo)
app.command()(live.run)
app.command()(offline.analyse)
app.command()(offline.replay)
app.command()(segment.segment)
app.command()(offline.check)
app.command()(doctor.doctor)
app.command()(training.train)
app.command()(training.finetune)
app.command()(distil.distil)
app.command()(evaluate.evaluate)
app.command()(tuning.tune)
app.command()(ablation.ablate)
app.add_typer(data.app, name="data")
app.add_typer(models.app, name="models")


@app.callback()
def configure(
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Say more of what goes on.")
    ] = False,
) -> None:
    """Watch living cell cultures while a microscope acquires them."""
    reuse_freed_memory()
    # pymmcore-plus sets the root logger to DEBUG when it is imported; ours is what shows.
    handler = RichHandler(
        console=Console(stderr=True), show_path=False, rich_tracebacks=True
    )
    package = logging.getLogger("samcell_live")
    package.setLevel(logging.DEBUG if verbose else logging.WARNING)
    package.handlers = [handler]
    package.propagate = False


def main() -> None:
    """Run the command line."""
    app()
