"""The command ``segment``: the cells of single images, as files."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer
from rich.markup import escape
from rich.progress import ProgressColumn, Task
from rich.text import Text

from samcell_live.cli.console import (
    FOUND_A_PROBLEM,
    err,
    explains_errors,
    print_json,
    progress_bars,
    stopping,
    work,
)
from samcell_live.cli.models import fetch_with_progress
from samcell_live.cli.offline import DiameterOption, JsonOption, ModelOption
from samcell_live.settings import Preset, SegmentationSettings, WantedPrecision

if TYPE_CHECKING:
    from samcell_live.recordings.batch_report import BatchReport
    from samcell_live.recordings.choose_images import ChosenImages
    from samcell_live.recordings.image_results import (
        FailedImage,
        Outputs,
        SegmentedImage,
    )
    from samcell_live.segmentation.segmenter import Segmenter

    Result: TypeAlias = SegmentedImage | FailedImage

MOST_NAMES = 3
"""Files that are named where all would be too many."""


@explains_errors
def segment(
    images: Annotated[
        list[str], typer.Argument(help="Images, folders of images, or patterns (*.tif).")
    ],
    *,
    folder: Annotated[
        Path, typer.Option("--out", help="Folder for the results.", file_okay=False)
    ] = Path("segmented"),
    model: ModelOption = None,
    diameter_um: DiameterOption = None,
    pixel_size_um: Annotated[
        float | None,
        typer.Option("--pixel-size-um", help="Micrometres a pixel, before what files say."),
    ] = None,
    min_area_um2: Annotated[
        float | None, typer.Option("--min-area-um2", help="Smaller cells are dropped.")
    ] = None,
    peak: Annotated[
        float | None,
        typer.Option(help="Height of the distance map that makes a cell, 0 to 1."),
    ] = None,
    fill: Annotated[
        float | None, typer.Option(help="Height that cells reach down to, 0 to 1.")
    ] = None,
    prominence: Annotated[
        float | None,
        typer.Option(help="How far the map falls between two cells, 0 to 1; 0: any."),
    ] = None,
    fill_holes: Annotated[
        bool, typer.Option("--fill-holes", help="Give holes in a cell to that cell.")
    ] = False,
    drop_border_cells: Annotated[
        bool, typer.Option("--drop-border-cells", help="Drop cells that the edge cuts.")
    ] = False,
    preset: Annotated[
        Preset | None,
        typer.Option(help="reference: number for number as the package samcell 1.2.0."),
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"] | None, typer.Option(help="[default: auto]")
    ] = None,
    precision: Annotated[
        WantedPrecision | None,
        typer.Option(help="Number format in the network. [default: auto]"),
    ] = None,
    half_turn: Annotated[
        bool | None,
        typer.Option(
            "--half-turn/--no-half-turn",
            help="Ask the network of the image turned by 180 degrees, too: slower, surer. "
            "[default: the model's]",
        ),
    ] = None,
    xlsx: Annotated[
        bool, typer.Option("--xlsx", help="All tables in one workbook, too.")
    ] = False,
    texture: Annotated[
        bool, typer.Option("--texture", help="Measure texture, too (slow).")
    ] = False,
    distance: Annotated[
        bool, typer.Option("--distance", help="Keep the distance maps, too.")
    ] = False,
    overlay: Annotated[
        bool, typer.Option("--overlay/--no-overlay", help="Pictures with outlines.")
    ] = True,
    json: JsonOption = False,
) -> None:
    """Find the cells of single images: label images, pictures and tables."""
    said = {
        "model": model,
        "cell_diameter_um": diameter_um,
        "min_area_um2": min_area_um2,
        "peak_threshold": peak,
        "fill_threshold": fill,
        "prominence": prominence,
        "preset": preset,
        "device": device,
        "precision": precision,
        "half_turn": half_turn,
        "fill_holes": fill_holes,
        "drop_border_cells": drop_border_cells,
    }
    settings = SegmentationSettings.model_validate(
        {name: value for name, value in said.items() if value is not None}
    )
    from samcell_live.recordings.batch_report import write_report
    from samcell_live.recordings.choose_images import choose_images
    from samcell_live.recordings.image_results import Outputs
    from samcell_live.segmentation.segmenter import load_segmenter

    chosen = choose_images(images)
    outputs = Outputs(folder, pixel_size_um, overlay, distance, texture)
    fetch_with_progress(settings.model)
    segmenter = load_segmenter(settings)
    _say_what_is_there(chosen, outputs)
    started_s = time.monotonic()
    with work() as begun:
        report = _segment_all(chosen.images, segmenter, outputs, begun)
        seconds = time.monotonic() - started_s
        write_report(folder, report, workbook=xlsx)
    _say_how_it_went(report, outputs, seconds)
    if json:
        print_json(**report.for_json())
    if report.failed:
        raise typer.Exit(FOUND_A_PROBLEM)


class ImagesPerSecond(ProgressColumn):
    """The rate since the first image was begun."""

    def render(self, task: Task) -> Text:
        """Show it once an image is done."""
        if not task.completed or not task.elapsed:
            return Text()
        return Text(f"{task.completed / task.elapsed:.2f} images/s")


def _segment_all(
    images: Sequence[Path], segmenter: Segmenter, outputs: Outputs, begun: threading.Event
) -> BatchReport:
    """Segment until all are done or the user asks for an end."""
    from samcell_live.recordings.batch_report import BatchReport
    from samcell_live.recordings.segment_images import segment_images
    from samcell_live.segmentation.stream import outcomes

    results: list[Result] = []
    stream = partial(outcomes, segmenter)
    with (
        stopping() as stop,
        progress_bars(ImagesPerSecond(), disable=False) as bars,
        closing(segment_images(images, stream, outputs, stop=stop)) as steps,
    ):
        task = bars.add_task("segmented", total=len(images))
        for result in steps:
            begun.set()
            results.append(result)
            bars.console.print(escape(_line(result)), soft_wrap=True)
            bars.advance(task)
    return BatchReport(tuple(results), tuple(images[len(results) :]), segmenter.making)


def _line(result: Result) -> str:
    from samcell_live.recordings.image_results import FailedImage

    if isinstance(result, FailedImage):
        return f"{result.task.image}: failed"
    count, covered = result.summary.cell_count, result.summary.confluence
    return f"{result.task.image}: {count} cells, {covered:.1%} covered"


def _say_what_is_there(chosen: ChosenImages, outputs: Outputs) -> None:
    """Tell what is not taken, and what will be written over."""
    from samcell_live.recordings.segment_images import with_results

    if chosen.left_out:
        names = ", ".join(path.name for path in chosen.left_out[:MOST_NAMES])
        more = ", ..." if len(chosen.left_out) > MOST_NAMES else ""
        _say(f"Left out as results or masks: {len(chosen.left_out)} ({names}{more})")
    if replaced := with_results(chosen.images, outputs):
        _say(f"{outputs.folder} has results of {len(replaced)} of these; they are replaced")


def _say_how_it_went(report: BatchReport, outputs: Outputs, seconds: float) -> None:
    n_begun, n_all = len(report.results), len(report.results) + len(report.not_begun)
    if report.not_begun:
        _say(f"Stopped after {n_begun} of {n_all} images")
    cells = sum(one.summary.cell_count for one in report.segmented)
    _say(
        f"{len(report.segmented)} of {n_all} images segmented, {cells} cells, "
        f"{n_begun / seconds:.2f} images/s. Results: {outputs.folder}"
    )
    if any(math.isnan(one.pixel_size_um) for one in report.segmented):
        _say("Pixel sizes are unknown, so tables are in pixels; --pixel-size-um gives one")
    for one in report.failed:
        err.print(f"[bold red]Failed:[/] {escape(str(one))}", soft_wrap=True)


def _say(text: str) -> None:
    err.print(escape(text), soft_wrap=True)
