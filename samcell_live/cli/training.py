"""The command that trains: ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from samcell_live.cli.console import explains_errors


@explains_errors
def train(
    config: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A YAML file.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, logs and weights.")],
) -> None:
    """Train the starter network on labelled images and simulated cultures."""
    raise NotImplementedError
