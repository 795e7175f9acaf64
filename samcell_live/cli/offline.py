"""Commands that need no microscope: ``analyse``, ``replay``, ``check``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape

from samcell_live.cli.console import (
    FOUND_A_PROBLEM,
    RunProgress,
    explains_errors,
    out,
    print_json,
    progress_bars,
    stopping,
    work,
)
from samcell_live.cli.models import fetch_with_progress
from samcell_live.cli.report import default_store, report_run
from samcell_live.settings import AnalysisSettings, SegmentationSettings
from samcell_live.store.check import check_store
from samcell_live.store.reader import RunReader

StoreArgument = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="A run store (.ome.zarr).")
]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Name of a model, or path of its weights.")
]
DiameterOption = Annotated[
    float | None,
    typer.Option("--diameter-um", help="Typical cell diameter, for scaling."),
]
PixelSizeOption = Annotated[
    float | None,
    typer.Option("--pixel-size-um", help="Micrometres a pixel, if files say none."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Last line: the result as JSON.")]


@explains_errors
def analyse(
    store: StoreArgument,
    *,
    name: Annotated[
        str | None, typer.Option(help="Name of the analysis. [default: the run's own]")
    ] = None,
    model: ModelOption = None,
    diameter_um: DiameterOption = None,
    order: Annotated[
        Literal["oldest", "newest"] | None,
        typer.Option(help="Which waiting frame is first."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Stay while the acquisition runs.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="No progress, no summary.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Work off a run: every frame on disk that has no committed result gets one."""
    planned = RunReader(store).plan.analysis
    settings = _settings(planned, name, model, diameter_um, order)
    from samcell_live.segmentation.checking import check_model

    fetch_with_progress(settings.segmentation.model)
    check_model(settings.segmentation)
    from samcell_live.analysis.worker import analyse_run  # torch: only for what it can load

    with stopping() as stop, RunProgress(store, settings.name, quiet=quiet) as progress:
        analyse_run(
            store,
            settings,
            follow=follow,
            stop=stop,
            on_frame=lambda key: progress.update(),
        )
        progress.update()
        if quiet:
            return
        code = report_run(
            store, settings.name, progress, as_json=json, stopped=stop.is_set()
        )
    raise typer.Exit(code)


@explains_errors
def replay(
    source: Annotated[
        Path, typer.Argument(exists=True, help="A folder of images, or a run store.")
    ],
    *,
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Folder to make. [default: runs/NAME_DATE.ome.zarr]"),
    ] = None,
    model: ModelOption = None,
    diameter_um: DiameterOption = None,
    pixel_size_um: PixelSizeOption = None,
    interval_min: Annotated[
        float | None, typer.Option("--interval-min", help="Minutes between the images.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Analyse a recording as if the camera were running, into a new run store."""
    from samcell_live.recordings import open_recording
    from samcell_live.recordings.replay import replay_recording

    recording = open_recording(
        source,
        pixel_size_um=pixel_size_um,
        interval_s=None if interval_min is None else interval_min * 60,
    )
    settings = _settings(AnalysisSettings(), None, model, diameter_um, None)
    fetch_with_progress(settings.segmentation.model)
    path = store or default_store(recording.plan.name)
    with (
        work() as begun,
        stopping() as stop,
        RunProgress(path, settings.name, quiet=False) as progress,
        closing(replay_recording(recording, path, settings, stop)) as steps,
    ):
        for _ in steps:
            begun.set()
            progress.update()
        progress.update()
        code = report_run(
            path, settings.name, progress, as_json=json, stopped=stop.is_set()
        )
    raise typer.Exit(code)


@explains_errors
def check(store: StoreArgument, *, json: JsonOption = False) -> None:
    """Read a run store back, whole, and say what is wrong with it."""
    with progress_bars(disable=False) as bars:
        task = bars.add_task("checked", total=None)
        findings = check_store(store, on_frame=lambda key: bars.advance(task))
    for finding in findings:
        out.print(f"[red]{escape(str(finding))}[/]", soft_wrap=True)
    if not findings:
        out.print(f"{escape(str(store))} is whole.", soft_wrap=True)
    if json:
        print_json(store=str(store), findings=[str(finding) for finding in findings])
    if findings:
        raise typer.Exit(FOUND_A_PROBLEM)


def _settings(
    base: AnalysisSettings,
    name: str | None,
    model: str | None,
    diameter_um: float | None,
    order: Literal["oldest", "newest"] | None,
) -> AnalysisSettings:
    """Put what was said on the command line over what the run planned."""
    segmentation = base.segmentation.model_dump() | _said(
        model=model, cell_diameter_um=diameter_um
    )
    return AnalysisSettings.model_validate(
        base.model_dump()
        | _said(name=name, order=order)
        | {"segmentation": SegmentationSettings.model_validate(segmentation)}
    )


def _said(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}
