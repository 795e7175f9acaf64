"""What every command shares: errors as sentences, Ctrl-C, progress, JSON."""

from __future__ import annotations

import functools
import json
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psutil
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from samcell_live.records import FrameCounts
from samcell_live.settings import describe
from samcell_live.store.alerts import alerts
from samcell_live.store.processes import RoleTakenError
from samcell_live.store.reader import RunReader

logger = logging.getLogger(__name__)

FOUND_A_PROBLEM = 1
WRONG_USAGE = 2
WARN_EVERY_S = 1.0
SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")
"""What asks a command to end; not every system has each."""

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

P = ParamSpec("P")
R = TypeVar("R")


def explains_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn errors into one sentence: exit code 2 for a refusal, 1 once work had begun.

    A ValueError or an OSError is a refusal: nothing was begun, and the same call will be
    refused again. A RuntimeError is work that was broken off, and may go on when it is
    called again; see `work`.
    """

    @functools.wraps(command)
    def explained(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return command(*arguments, **options)
        except typer.Exit:  # a RuntimeError, too
            raise
        except (ValueError, OSError, RoleTakenError) as error:
            _print_error(error)
            raise typer.Exit(WRONG_USAGE) from error
        except RuntimeError as error:
            _print_error(error)
            raise typer.Exit(FOUND_A_PROBLEM) from error
        except KeyboardInterrupt:
            err.print("Stopped at once. What was on disk is safe.")
            raise typer.Exit(FOUND_A_PROBLEM) from None

    return explained


def _print_error(error: Exception) -> None:
    logger.debug("The command ended with an error", exc_info=error)
    text = describe(error) if isinstance(error, ValidationError) else str(error)
    err.print(f"[bold red]Error:[/] {escape(text)}", soft_wrap=True)


@contextmanager
def work() -> Iterator[threading.Event]:
    """Tell work that broke off from a refusal: set the event once work has begun.

    Raises
    ------
    RuntimeError
        In place of a ValueError or an OSError that comes later.
    """
    begun = threading.Event()
    try:
        yield begun
    except (ValueError, OSError) as error:
        if not begun.is_set():
            raise
        raise RuntimeError(str(error)) from error


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Let Ctrl-C ask for a clean end once, and enforce it the second time.

    Closing the terminal asks, too, except under nohup.
    """
    stop = threading.Event()

    def ask(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    heeded = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        heeded.append(hangup)
    before = {number: signal.signal(number, ask) for number in heeded}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class RunProgress:
    """Shows how far the acquisition and the analysis of a run are."""

    def __init__(self, store: Path, analysis: str, *, quiet: bool) -> None:
        self.first_result_s: float | None = None
        """Seconds from the start of this program to the first committed result."""
        self._store = store
        self._analysis = analysis
        self._reader: RunReader | None = None
        self._warned_s = 0.0
        self._warned_of: set[str] = set()
        self._bars = progress_bars(disable=quiet)
        self._acquired = self._bars.add_task("acquired", total=None)
        self._analysed = self._bars.add_task("analysed", total=None)

    def __enter__(self) -> RunProgress:
        self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(escape(text), soft_wrap=True)

    def update(self) -> None:
        """Look at the store and move the bars; a look that fails must not end the run."""
        try:
            counts = self._look()
        except (OSError, ValueError):  # being made, or on a share that is away
            logger.debug("No look at %s", self._store, exc_info=True)
            return
        if self.first_result_s is None and counts.analysed:
            self.first_result_s = time.time() - psutil.Process().create_time()
        done = counts.analysed + counts.failed
        self._bars.update(self._acquired, completed=counts.acquired, total=counts.expected)
        self._bars.update(self._analysed, completed=done, total=counts.expected)

    def warn(self) -> None:
        """Print what is wrong with the run, once for each time that it begins."""
        now_s = time.monotonic()
        if self._reader is None or now_s - self._warned_s < WARN_EVERY_S:
            return
        self._warned_s = now_s
        try:
            found = {alert.kind: alert for alert in alerts(self._reader, time.time())}
        except (OSError, ValueError):
            logger.debug("No look at %s", self._store, exc_info=True)
            return
        for kind in found.keys() - self._warned_of:
            self.say(f"Alert: {found[kind]}")
        self._warned_of = set(found)

    def _look(self) -> FrameCounts:
        if self._reader is None:
            self._reader = RunReader(self._store)
        return self._reader.counts(self._analysis)


def progress_bars(*more: ProgressColumn, disable: bool) -> Progress:
    """Bars on standard error, in the same form everywhere, with more at their end."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        *more,
        console=err,
        disable=disable or not err.is_terminal,
    )


def print_json(**values: object) -> None:
    """Print one line for a script."""
    print(json.dumps(values), flush=True)  # noqa: T201 - standard output is the result
