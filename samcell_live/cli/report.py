"""What a command says of a run at its end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from samcell_live.cli.console import FOUND_A_PROBLEM, RunProgress, out, print_json
from samcell_live.records import FrameCounts
from samcell_live.store.firings import read_firings
from samcell_live.store.processes import ACQUISITION, analysis_role
from samcell_live.store.reader import RunReader

MOST_FAILURES = 5


def report_run(
    path: Path, analysis: str, progress: RunProgress, *, as_json: bool, stopped: bool
) -> int:
    """Print the account of a run.

    Returns
    -------
    int
        Exit code: 1 if something is amiss, else 0. Frames that are missing because the
        user stopped the run are not amiss.
    """
    reader = RunReader(path)
    counts = reader.counts(analysis)
    _print_summary(reader, analysis, counts)
    if as_json:
        seconds = progress.first_result_s
        print_json(
            frames=counts._asdict(),
            store=str(path),
            seconds_to_first_result=None if seconds is None else round(seconds, 3),
        )
    amiss = counts.failed or counts.waiting or (counts.missing and not stopped)
    return FOUND_A_PROBLEM if amiss else 0


def default_store(name: str) -> Path:
    """Name a new run store after what is in it and when it was made."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return Path("runs") / f"{name}_{stamp}.ome.zarr"


def _print_summary(reader: RunReader, analysis: str, counts: FrameCounts) -> None:
    table = Table(title=escape(reader.plan.name), show_header=False)
    table.add_row("store", escape(str(reader.path)))
    for name, value in counts._asdict().items():
        table.add_row(f"frames {name}", str(value))
    for row in _growth_rows(reader, analysis):
        table.add_row(*row)
    out.print(table)
    for firing in read_firings(reader.path):
        out.print(escape(str(firing)), soft_wrap=True)
    for text in [*_process_troubles(reader, analysis), *_failures(reader, analysis)]:
        out.print(f"[yellow]{escape(text)}[/]", soft_wrap=True)


def _growth_rows(reader: RunReader, analysis: str) -> Iterator[tuple[str, str]]:
    series = reader.series(analysis).dropna(subset=["confluence"])
    if series.empty:
        return
    first, last = (series[series["t"] == t] for t in (series["t"].min(), series["t"].max()))
    start, end = first["confluence"].median(), last["confluence"].median()
    yield "median confluence", f"{start:.1%} to {end:.1%}"
    yield "cells", f"{first['cell_count'].sum():.0f} to {last['cell_count'].sum():.0f}"
    yield "median inference", f"{series['inference_ms'].median():.0f} ms a frame"


def _process_troubles(reader: RunReader, analysis: str) -> Iterator[str]:
    for role in (ACQUISITION, analysis_role(analysis)):
        process = reader.process(role)
        if process is not None and process.message:
            yield f"{role}: {process.message}"


def _failures(reader: RunReader, analysis: str) -> Iterator[str]:
    series = reader.series(analysis)
    failed = series.index[series["status"] == "failed"]
    for slot in failed[:MOST_FAILURES]:
        yield f"{reader.plan.shape.key(slot)} failed: {reader.failure(slot, analysis)}"
    if len(failed) > MOST_FAILURES:
        yield f"and {len(failed) - MOST_FAILURES} more"
