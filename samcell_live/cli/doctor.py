"""The command ``doctor``: what stands in a run's way, said before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from samcell_live.cli.console import FOUND_A_PROBLEM, explains_errors, out, print_json
from samcell_live.settings import RunSettings

if TYPE_CHECKING:
    from samcell_live.doctor.findings import Finding

COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red", "unknown": "dim"}


@explains_errors
def doctor(
    config: Annotated[
        Path | None,
        typer.Argument(
            exists=True, dir_okay=False, help="Of a run. Without, the computer only."
        ),
    ] = None,
    *,
    store: Annotated[
        Path, typer.Option("--store", help="Where the run is going to be.")
    ] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look at the computer, and say whether a run will keep up before it starts."""
    settings = RunSettings.from_yaml(config) if config else None
    from samcell_live.doctor.examination import examine

    examination = examine(settings, store)
    verdict = examination.verdict
    if json:
        print_json(
            findings=[finding._asdict() for finding in examination.findings],
            keeps_up=verdict.keeps_up if verdict else None,
            verdict=verdict.sentence if verdict else None,
        )
    else:
        out.print(_table(examination.findings))
        if verdict is not None:
            colour = "green" if verdict.keeps_up else "bold red"
            out.print(f"[{colour}]{escape(verdict.sentence)}[/]", soft_wrap=True)
    if not examination.is_well:
        raise typer.Exit(FOUND_A_PROBLEM)


def _table(findings: tuple[Finding, ...]) -> Table:
    table = Table()
    for heading in ("what", "", "found", "to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        colour = COLOURS[finding.status]
        table.add_row(
            finding.name,
            f"[{colour}]{finding.status}[/]",
            escape(finding.found),
            escape(finding.to_do),
        )
    return table
