"""Commands about labelled images: ``data check | prepare``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from samcell_live.cli.console import (
    FOUND_A_PROBLEM,
    explains_errors,
    out,
    print_json,
    progress_bars,
)

if TYPE_CHECKING:
    from samcell_live.training.data.check import DataReport
    from samcell_live.training.data.findings import ImageReport

app = typer.Typer(help="Check and prepare labelled images.", no_args_is_help=True)

PathArgument = Annotated[
    Path,
    typer.Argument(
        exists=True,
        help="LIVECell, Cellpose, Cell Tracking Challenge, image/mask folder, run store.",
    ),
]
LabelsOption = Annotated[
    str, typer.Option("--labels", help="Of a run store: the labels that are the truth.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Last line: the result as JSON.")]


@app.command()
@explains_errors
def check(
    path: PathArgument,
    *,
    labels: LabelsOption = "corrected",
    smallest_px: Annotated[
        int, typer.Option("--smallest-px", min=1, help="Smaller cells are reported.")
    ] = 10,
    json: JsonOption = False,
) -> None:
    """Look for faults in labelled images; exit code 1 if there is one."""
    from samcell_live.training.data.check import check_data
    from samcell_live.training.data.formats import open_data

    data = open_data(path, labels=labels)
    with progress_bars(disable=False) as bars:
        task = bars.add_task("checked", total=len(data.images))
        report = check_data(
            data,
            smallest_px=smallest_px,
            on_image=lambda n_done: bars.update(task, completed=n_done),
        )
    out.print(_table(report))
    out.print(escape(_summary(report)), soft_wrap=True)
    if json:
        print_json(path=str(path), **_plain(report))
    if report.n_problems:
        raise typer.Exit(FOUND_A_PROBLEM)


@app.command()
@explains_errors
def prepare(
    path: PathArgument,
    *,
    folder: Annotated[
        Path, typer.Option("--out", help="Gets a folder with what training reads.")
    ],
    fit_px: Annotated[
        int | None,
        typer.Option("--fit-px", help="Resize to squares of this side, padded."),
    ] = None,
    labels: LabelsOption = "corrected",
    json: JsonOption = False,
) -> None:
    """Read labelled images once, with their distance maps; only what changed is redone.

    The same command goes on where it was stopped.
    """
    from samcell_live.training.data.formats import open_data
    from samcell_live.training.data.prepared import Preparation
    from samcell_live.training.data.preparing import prepare as prepare_data

    data = open_data(path, labels=labels)
    with progress_bars(disable=False) as bars:
        task = bars.add_task("prepared", total=len(data.images))
        prepared = prepare_data(
            data,
            folder,
            Preparation(fit_px=fit_px),
            on_image=lambda n_done: bars.update(task, completed=n_done),
        )
    n_cells = sum(image.n_cells for image in prepared.images)
    text = f"{len(prepared.images)} images with {n_cells} cells are in {prepared.folder}"
    out.print(escape(text), soft_wrap=True)
    if json:
        print_json(folder=str(prepared.folder), images=len(prepared.images), cells=n_cells)


def _table(report: DataReport) -> Table:
    table = Table()
    for heading in ("part", "image", "height x width", "cells", "found"):
        table.add_column(heading, overflow="fold")
    for image in report.images:
        table.add_row(*map(escape, _row(image)))
    return table


def _row(image: ImageReport) -> tuple[str, ...]:
    found = [f"{one.kind}: {one.count} {one.detail}" for one in image.findings]
    return (
        image.split,
        image.name,
        f"{_text(image.height_px)} x {_text(image.width_px)}",
        _text(image.n_cells),
        "\n".join(found) or "fine",
    )


def _text(number: int | None) -> str:
    return "?" if number is None else str(number)


def _summary(report: DataReport) -> str:
    n_cells = sum(image.n_cells or 0 for image in report.images)
    head = f"{report.format}: {_images(len(report.images))}, {n_cells} cells."
    found = [
        f"{'Problem' if kind.is_problem else 'Note'}: {kind}, {_images(n_images)}"
        for kind, n_images in report.images_by_kind().items()
    ]
    return "\n".join([head, *found]) if found else f"{head} Nothing is wrong."


def _images(number: int) -> str:
    return f"{number} image" if number == 1 else f"{number} images"


def _plain(report: DataReport) -> dict[str, Any]:
    return {
        "format": report.format,
        "n_images": len(report.images),
        "n_cells": sum(image.n_cells or 0 for image in report.images),
        "n_problems": report.n_problems,
        "summary": {str(kind): n for kind, n in report.images_by_kind().items()},
        "images": [asdict(image) for image in report.images],
    }
