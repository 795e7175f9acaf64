"""The command ``distil``: a small network learns from a teacher's distance maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from samcell_live.cli.console import (
    FOUND_A_PROBLEM,
    explains_errors,
    out,
    print_json,
    progress_bars,
    stopping,
    work,
)
from samcell_live.cli.models import fetch_with_progress
from samcell_live.cli.offline import JsonOption

if TYPE_CHECKING:
    from samcell_live.training.distil.settings import DistilSettings
    from samcell_live.training.train import Step


@explains_errors
def distil(
    config: Annotated[
        Path | None,
        typer.Argument(
            exists=True, dir_okay=False, help="A YAML file; or --teacher and --images."
        ),
    ] = None,
    *,
    folder: Annotated[
        Path, typer.Option("--out", help="Gets maps, checkpoints, log and weights.")
    ],
    teacher: Annotated[
        str | None,
        typer.Option(help="Name of the model to learn from, or path of its weights."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of images, which need no masks.")
    ] = None,
    diameter_px: Annotated[
        float | None,
        typer.Option("--diameter-px", help="Typical cell diameter, told to the teacher."),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps.")] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"], typer.Option(help="For both networks.")
    ] = "auto",
    json: JsonOption = False,
) -> None:
    """Train the compact network on a teacher's distance maps; images need no masks.

    The same command goes on with a run that was stopped or killed, and does not ask the
    teacher again. Ctrl-C once writes a checkpoint and ends, with exit code 0; twice ends
    at once. Exit code 1: an image could not be read.
    """
    said = {
        "teacher": teacher,
        "images": images,
        "cell_diameter_px": diameter_px,
        "steps": steps,
    }
    settings = _settings(
        config, {name: value for name, value in said.items() if value is not None}
    )
    from samcell_live.training.distil.lessons import find_images
    from samcell_live.training.distil.run import distil as learn_from
    from samcell_live.training.run import refuse_other_run

    # What will be refused is not to wait for a download.
    find_images(settings.images)
    refuse_other_run(folder, settings)
    fetch_with_progress(settings.teacher)
    with work() as begun, stopping() as stop, progress_bars(disable=False) as bars:
        seen = bars.add_task("seen by the teacher", total=None)
        task = bars.add_task("trained", total=settings.steps)

        def show_image(n_done: int, n_images: int) -> None:
            begun.set()
            bars.update(seen, completed=n_done, total=n_images)

        def show(step: Step) -> None:
            bars.update(task, completed=step.step, description=f"loss {step.loss:.5f}")

        report = learn_from(
            settings, folder, device=device, on_image=show_image, on_step=show, stop=stop
        )
        n_seen, done = (bars.tasks[number].completed for number in (seen, task))
    stopped = (
        f"Stopped after {n_seen:.0f} images and step {done:.0f} of {settings.steps}, which "
        f"are kept in {folder}. The same command goes on from there."
    )
    out.print(escape(report.summary() if report else stopped), soft_wrap=True)
    if json:
        print_json(**(report.for_json() if report else {"weights": None}))
    if report and report.left_out:
        raise typer.Exit(FOUND_A_PROBLEM)


def _settings(config: Path | None, said: dict[str, object]) -> DistilSettings:
    """Settings of a file, or none, and what was said besides."""
    from samcell_live.training.distil.settings import DistilSettings

    if config is not None:
        return DistilSettings.model_validate(
            DistilSettings.from_yaml(config).model_dump() | said
        )
    if not {"teacher", "images"} <= said.keys():
        raise ValueError(
            "Someone has to teach, on some images. Give --teacher and --images, or a YAML "
            "file that names them."
        )
    return DistilSettings.model_validate(said)
