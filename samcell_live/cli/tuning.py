"""The command ``tune``: the thresholds that suit a model and some labelled images."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from samcell_live.cli.console import explains_errors, out, print_json, progress_bars, work
from samcell_live.cli.models import fetch_with_progress
from samcell_live.cli.offline import DiameterOption, JsonOption
from samcell_live.settings import SegmentationSettings

if TYPE_CHECKING:
    from samcell_live.training.tuning.search import Tuning

DeviceOption = Annotated[
    Literal["auto", "cpu", "cuda", "mps"], typer.Option(help="For the network.")
]
MAPS = "maps"
"""Folder, beside the scores, for the distance maps."""


@explains_errors
def tune(
    folders: Annotated[
        list[Path],
        typer.Argument(exists=True, help="Labelled images, one or more data sets."),
    ],
    *,
    model: Annotated[
        str, typer.Option("--model", help="Name of a model, or path of its weights.")
    ],
    folder: Annotated[
        Path, typer.Option("--out", help="Gets the scores and a page.", file_okay=False)
    ] = Path("tuning"),
    step: Annotated[
        float, typer.Option(help="Between one threshold to try and the next.")
    ] = 0.01,
    split: Annotated[
        str, typer.Option(help="Part to use of data that come in parts.")
    ] = "val",
    diameter_um: DiameterOption = None,
    pixel_size_um: Annotated[
        float | None,
        typer.Option("--pixel-size-um", help="Micrometres a pixel, for --diameter-um."),
    ] = None,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Find the peak and fill thresholds that suit a model, for each data set and all.

    Each distance map is predicted once and kept; a second search takes it from there.
    """
    from samcell_live.segmentation.segmenter import load_segmenter
    from samcell_live.training.thresholds import Thresholds
    from samcell_live.training.tuning.grid import Grid
    from samcell_live.training.tuning.maps import DistanceMaps
    from samcell_live.training.tuning.report import summary, write_tuning
    from samcell_live.training.tuning.search import open_images
    from samcell_live.training.tuning.search import tune as search

    grid = Grid.even(step)
    data_sets = [open_images(path, split) for path in folders]
    fetch_with_progress(model)
    segmenter = load_segmenter(
        SegmentationSettings(model=model, cell_diameter_um=diameter_um, device=device)
    )
    known_um = math.nan if pixel_size_um is None else pixel_size_um
    maps = DistanceMaps(segmenter, folder / MAPS, known_um)
    own = Thresholds(
        segmenter.peak_threshold,
        segmenter.fill_threshold,
        prominence=segmenter.prominence,
    )
    with work() as begun, progress_bars(disable=False) as bars:
        n_images = sum(len(data_set.images) for data_set in data_sets)
        task = bars.add_task("searched", total=n_images)

        def show() -> None:
            begun.set()
            bars.advance(task)

        tuning = search(data_sets, maps, own, grid, on_image=show)
        files = write_tuning(folder, tuning, model)
    _say_thresholds(tuning, files.page)
    if json:
        print_json(**summary(tuning, model), files=[str(file) for file in files])


def _say_thresholds(tuning: Tuning, page: Path) -> None:
    from samcell_live.training.tuning.heat_map import NEAR
    from samcell_live.training.tuning.report import shown

    for surface in shown(tuning):
        best, own, near = surface.best, surface.own, surface.plateau(NEAR)
        text = (
            f"{surface.name}: peak {best.peak:g}, fill {best.fill:g}: OP_CSB "
            f"{best.op_csb:.3f}; with the model's own {own.peak:g}, {own.fill:g}: "
            f"{own.op_csb:.3f}. Within {NEAR}: peak {near.peaks[0]:g} to "
            f"{near.peaks[1]:g}, fill {near.fills[0]:g} to {near.fills[1]:g}."
        )
        out.print(escape(text), soft_wrap=True)
    best = tuning.together.best
    out.print(
        f"To use them: samcell-live segment --peak {best.peak:g} --fill {best.fill:g}, or "
        f"peak_threshold: {best.peak:g} and fill_threshold: {best.fill:g} under "
        f"segmentation in a configuration. The page is {escape(str(page))}",
        soft_wrap=True,
    )
