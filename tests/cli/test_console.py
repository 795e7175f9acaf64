"""How commands end: exit codes, and what Ctrl-C does."""

import signal
from pathlib import Path

import pytest
import typer

from samcell_live.cli.console import RunProgress, explains_errors, stopping, work


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("no [such] model"), 2),
        (FileExistsError("no [such] model"), 2),
        (RuntimeError("no [such] model"), 1),
    ],
)
def test_a_refusal_and_broken_work_differ_in_their_exit_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @explains_errors
    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as ended:
        command()
    assert ended.value.exit_code == code
    assert capsys.readouterr().err == "Error: no [such] model\n"


def test_an_error_before_work_begins_is_a_refusal() -> None:
    with pytest.raises(FileExistsError), work():
        raise FileExistsError("there is a run already")


def test_an_error_after_work_has_begun_is_none() -> None:
    def breaks_off() -> None:
        with work() as begun:
            begun.set()
            raise OSError("no space left")

    with pytest.raises(RuntimeError, match="no space left"):
        breaks_off()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_asks_once_and_enforces_the_second_time(name: str) -> None:
    if not hasattr(signal, name):
        pytest.skip(f"this system has no {name}")
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_DFL)  # nohup ignores one of them
    try:
        with stopping() as stop:
            signal.raise_signal(number)
            assert stop.is_set()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
    finally:
        signal.signal(number, before)


def test_signals_mean_afterwards_what_they_meant_before() -> None:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    with stopping():
        assert signal.getsignal(signal.SIGINT) != before[signal.SIGINT]
    assert {number: signal.getsignal(number) for number in before} == before


def test_ctrl_c_asks_in_the_background_of_a_shell_script_too() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stopping() as stop:
            signal.raise_signal(signal.SIGINT)
            assert stop.is_set()
    finally:
        signal.signal(signal.SIGINT, before)


def test_under_nohup_a_closed_terminal_does_not_ask() -> None:
    if not hasattr(signal, "SIGHUP"):
        pytest.skip("this system has no SIGHUP")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_progress_of_a_store_that_cannot_be_read_yet_is_left_out(tmp_path: Path) -> None:
    with RunProgress(tmp_path / "run", "cells", quiet=True) as progress:
        progress.update()
        (tmp_path / "run").mkdir()
        progress.update()
    assert progress.first_result_s is None
