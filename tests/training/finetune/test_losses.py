"""Learning rate, best step and patience follow from the history alone."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

from samcell_live.training.finetune.losses import (
    Step,
    best_step,
    is_finished,
    is_out_of_patience,
    schedule,
    write_losses,
)
from samcell_live.training.finetune.settings import FinetuneSettings

PAPER = FinetuneSettings(images=(Path("cells"),), steps=1000)


def history(*validation_losses: float) -> list[Step]:
    return [
        Step(number, 0.5, 1e-4, loss)
        for number, loss in enumerate(validation_losses, start=1)
    ]


def test_the_learning_rate_rises_for_250_steps_and_then_falls_to_zero() -> None:
    rates = [schedule(done, PAPER) for done in range(1000)]

    assert rates[0] == 1 / 250
    assert rates[249] == rates[250] == 1
    rises = [later - rate for rate, later in pairwise(rates)]
    assert rises[:249] == pytest.approx([1 / 250] * 249)
    assert rises[250:] == pytest.approx([-1 / 750] * 749)
    assert rates[-1] == pytest.approx(1 / 750)


def test_patience_ends_after_seven_validations_without_improvement() -> None:
    flat = [0.3, *[0.29995] * 7]

    assert not is_out_of_patience(history(*flat[:-1]), PAPER)
    assert is_out_of_patience(history(*flat), PAPER)
    assert is_finished(history(*flat), PAPER)


def test_a_slow_descent_counts_once_it_adds_up_to_an_improvement() -> None:
    slow = [0.3 - 0.00004 * number for number in range(30)]

    assert not is_out_of_patience(history(*slow), PAPER)


def test_steps_that_were_not_validated_do_not_try_patience() -> None:
    assert not is_out_of_patience(history(0.3, *[math.nan] * 20), PAPER)


def test_the_best_step_is_the_first_of_the_lowest() -> None:
    assert best_step(history(0.4, math.nan, 0.2, 0.3, 0.2)).step == 3


def test_losses_are_written_one_line_a_step(tmp_path: Path) -> None:
    write_losses(tmp_path / "losses.csv", history(math.nan, 0.25))

    assert (tmp_path / "losses.csv").read_text().splitlines() == [
        "step,loss,learning_rate,validation_loss",
        "1,0.5,0.0001,",
        "2,0.5,0.0001,0.25",
    ]
