"""Commands about models and their weights: ``models list | fetch | info | import``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from samcell_live.cli.console import err, explains_errors, out, print_json
from samcell_live.segmentation.weights.listing import ListedModel, list_models
from samcell_live.segmentation.weights.lookup import (
    find_present_weights,
    find_weights,
    published_model,
)

if TYPE_CHECKING:
    from samcell_live.segmentation.weights.inspection import WeightsDescription

app = typer.Typer(help="List, fetch, look at and import weights.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Last line: the result as JSON.")]


@app.command("list")
@explains_errors
def list_(*, json: JsonOption = False) -> None:
    """List the models that have names, and which of them are on this computer."""
    models = list_models()
    table = Table()
    for heading in ("name", "what", "size", "here", "sha256"):
        table.add_column(heading, overflow="fold")
    for model in models:
        table.add_row(*map(escape, _row(model)))
    out.print(table)
    for terms in dict.fromkeys(model.terms for model in models):
        named = ", ".join(model.name for model in models if model.terms == terms)
        out.print(f"{named}: {escape(terms)}", soft_wrap=True)
    if json:
        print_json(models=[_plain(asdict(model)) for model in models])


@app.command()
@explains_errors
def fetch(
    model: Annotated[str, typer.Argument(help="Name or address (https://...).")],
    *,
    json: JsonOption = False,
) -> None:
    """Fetch a model's weights, or go on where fetching broke off, and check them."""
    path = fetch_with_progress(model, for_training=True)
    published = published_model(model)
    terms = published.terms if published else ""
    out.print(escape(f"{model} is here: {path}\n{terms}".rstrip()), soft_wrap=True)
    if json:
        print_json(model=model, path=str(path), terms=terms)


@app.command()
@explains_errors
def info(
    model: Annotated[str, typer.Argument(help="Name of a model, or path of its weights.")],
    *,
    json: JsonOption = False,
) -> None:
    """Say what a weights file is: format, network, numbers, checksum, making."""
    from samcell_live.segmentation.weights.inspection import describe_weights

    described = describe_weights(find_present_weights(model))
    table = Table(title=escape(model), show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for what, value in _description(described).items():
        table.add_row(what, escape(value))
    out.print(table)
    if json:
        print_json(**_plain(asdict(described)))


@app.command("import")
@explains_errors
def import_(
    path: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A weights file.")
    ],
    *,
    name: Annotated[str, typer.Option("--name", help="What the model is then called.")],
    terms: Annotated[
        str | None, typer.Option("--terms", help="Under which terms it may be used.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Give up what has this name now.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Keep weights of any format under a name, which then serves as --model."""
    from samcell_live.segmentation.weights.importing import import_weights

    kept = import_weights(path, name, terms=terms, replace=replace)
    out.print(escape(f"{name} is here: {kept}"), soft_wrap=True)
    if json:
        print_json(model=name, path=str(kept))


def fetch_with_progress(model: str, *, for_training: bool = False) -> Path:
    """Give a model's weights file; bytes, rate and remaining time are shown meanwhile."""
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
    )
    with bars:

        def show(done_bytes: int, total_bytes: int | None) -> None:
            if not bars.task_ids:
                bars.add_task(escape(model.rpartition("/")[2]), total=None)
            bars.update(bars.task_ids[0], completed=done_bytes, total=total_bytes)

        return find_weights(model, for_training=for_training, on_progress=show)


def _row(model: ListedModel) -> tuple[str, ...]:
    return (
        model.name,
        model.what,
        "" if model.size_bytes is None else f"{model.size_bytes / 1e6:.0f} MB",
        "yes" if model.path else "no",
        "" if model.sha256 is None else f"{model.sha256[:12]}... ({model.checksum})",
    )


def _description(it: WeightsDescription) -> dict[str, str]:
    thresholds = f"peak {it.peak_threshold:g}, fill {it.fill_threshold:g}"
    return {
        "path": str(it.path),
        "format": f"{it.container}, names of {it.naming}",
        "network": it.network,
        "tensors": f"{it.n_tensors} with {it.n_numbers:,} numbers ({', '.join(it.dtypes)})",
        "size": f"{it.size_bytes / 1e6:.1f} MB",
        "sha256": it.sha256,
        "thresholds": thresholds if it.segments else "none: it is for training",
        "cell diameter": f"{it.cell_diameter_px:g} px",
        **{name: str(value) for name, value in it.making.items()},
    }


def _plain(fields: dict[str, object]) -> dict[str, object]:
    """Turn paths into text, for JSON."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in fields.items()
    }
