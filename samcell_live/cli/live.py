"""Commands that acquire: ``demo`` and ``run``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from samcell_live.cli.console import RunProgress, explains_errors, out, stopping, work
from samcell_live.cli.models import fetch_with_progress
from samcell_live.cli.page import Page
from samcell_live.cli.report import default_store, report_run
from samcell_live.settings import RunSettings
from samcell_live.store.reader import RunReader

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store", help="Folder to make for the run. [default: runs/NAME_DATE.ome.zarr]"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Last line: the account as JSON.")]
PortOption = Annotated[
    int,
    typer.Option(
        min=0, max=65535, help="Port of the dashboard; any free one if it is taken."
    ),
]

LOOK_AT_CTRL_C_S = 0.5
"""A wait without end could not be interrupted on Windows."""


@explains_errors
def demo(
    *,
    store: StoreOption = None,
    browser: Annotated[bool, typer.Option(help="Open the dashboard in a browser.")] = True,
    until_done: Annotated[
        bool,
        typer.Option("--until-done", help="End when all is analysed, dashboard and all."),
    ] = False,
    port: PortOption = 8050,
    json: JsonOption = False,
) -> None:
    """Watch a simulated culture grow: no microscope, no GPU, no internet."""
    from samcell_live.microscope.demo import demo_settings

    page = Page(port, open_browser=browser)
    _acquire(demo_settings(), store, page, stay=not until_done, as_json=json)


@explains_errors
def run(
    config: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="A YAML file.")
    ] = None,
    *,
    store: StoreOption = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Instead of CONFIG: a run that broke off. Its remaining frames are "
            "acquired into it, each when it is due.",
        ),
    ] = None,
    dashboard: Annotated[bool, typer.Option(help="Serve the dashboard meanwhile.")] = False,
    port: PortOption = 8050,
    json: JsonOption = False,
) -> None:
    """Acquire and analyse what a configuration file describes."""
    page = Page(port, open_browser=False) if dashboard else None
    if resume is not None:
        _resume(resume, config, store, page, as_json=json)
    elif config is None:
        raise ValueError(
            "Name a configuration file, or a run to go on with: --resume STORE."
        )
    else:
        _acquire(RunSettings.from_yaml(config), store, page, stay=False, as_json=json)


def _resume(
    path: Path,
    config: Path | None,
    store: Path | None,
    page: Page | None,
    *,
    as_json: bool,
) -> None:
    if config is not None or store is not None:
        raise ValueError(
            f"--resume {path} takes its settings from the run, and goes on in it: leave "
            "CONFIG and --store out."
        )
    from samcell_live.microscope.experiment import resume_experiment
    from samcell_live.microscope.remaining import remaining

    reader = RunReader(path)
    counts, analysis = reader.counts(reader.plan.analysis.name), reader.plan.analysis
    if not remaining(path).rest.missing:
        text = f"All {counts.acquired} frames of {path} are acquired: nothing is left"
        rest = f", but {counts.waiting} to analyse." if counts.waiting else "."
        out.print(text + rest, soft_wrap=True, markup=False)
    fetch_with_progress(analysis.segmentation.model)
    _follow(
        lambda stop: resume_experiment(path, stop),
        path,
        analysis.name,
        page,
        stay=False,
        as_json=as_json,
    )


def _acquire(
    settings: RunSettings,
    store: Path | None,
    page: Page | None,
    *,
    stay: bool,
    as_json: bool,
) -> None:
    from samcell_live.microscope.experiment import run_experiment

    fetch_with_progress(settings.analysis.segmentation.model)
    path = store or default_store(settings.name)
    _follow(
        lambda stop: run_experiment(settings, path, stop),
        path,
        settings.analysis.name,
        page,
        stay=stay,
        as_json=as_json,
    )


def _follow(
    begin: Callable[[threading.Event], Generator[None, None, None]],
    path: Path,
    analysis: str,
    page: Page | None,
    *,
    stay: bool,
    as_json: bool,
) -> None:
    """Go through an acquisition with progress, page and report."""
    with (
        work() as begun,
        stopping() as stop,
        RunProgress(path, analysis, quiet=False) as progress,
        closing(begin(stop)) as steps,
    ):
        try:
            for _ in steps:
                progress.update()
                progress.warn()
                if page is not None and (news := page.show(path)):
                    progress.say(news)
            begun.set()
            progress.update()
            code = report_run(
                path, analysis, progress, as_json=as_json, stopped=stop.is_set()
            )
            if stay and page is not None and not stop.is_set():
                progress.say(
                    f"All analysed. The dashboard stays at {page.url}; Ctrl-C ends it."
                )
                while not stop.wait(LOOK_AT_CTRL_C_S):
                    pass
        finally:
            if page is not None:
                page.close()
    raise typer.Exit(code)
