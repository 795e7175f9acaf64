"""The loop learns, and a run that was stopped goes on as if it had not been."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from samcell_live.segmentation.starter import StarterNetwork
from samcell_live.training.fields import Source
from samcell_live.training.settings import TrainingSettings
from samcell_live.training.train import Step, draw_batch, fit, schedule, settle_norms


def network() -> StarterNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return StarterNetwork((4, 6))


def ignore(_: Step) -> None:
    pass


def losses(history: list[Step]) -> list[float]:
    return [step.loss for step in history]


def test_the_loss_falls(
    source: Source, tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    longer = tiny_settings.model_copy(update={"steps": 150, "learning_rate": 0.02})

    curve = losses(fit(network(), (source,), longer, tmp_path, on_step=ignore))

    assert sum(curve[-50:]) / 50 < 0.75 * sum(curve[:10]) / 10


def test_a_stopped_run_goes_on_with_the_same_loss_curve(
    source: Source, tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    stop = threading.Event()

    def stop_after_five(step: Step) -> None:
        if step.step == 5:
            stop.set()

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    unbroken = network()
    expected = fit(unbroken, (source,), tiny_settings, whole, on_step=ignore)

    stopped = fit(
        network(), (source,), tiny_settings, parts, on_step=stop_after_five, stop=stop
    )
    resumed = network()
    history = fit(resumed, (source,), tiny_settings, parts, on_step=ignore)

    assert [step.step for step in stopped] == [1, 2, 3, 4, 5]
    assert history[:5] == stopped
    assert losses(history) == pytest.approx(losses(expected), rel=1e-6)
    assert (parts / "log.csv").read_text() == (whole / "log.csv").read_text()
    for ours, theirs in zip(resumed.parameters(), unbroken.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_killed_run_goes_on_from_its_last_checkpoint(
    source: Source, tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    def die_after_five(step: Step) -> None:
        if step.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(network(), (source,), tiny_settings, tmp_path, on_step=die_after_five)
    seen: list[Step] = []
    fit(network(), (source,), tiny_settings, tmp_path, on_step=seen.append)

    assert [step.step for step in seen] == [5, 6]


def test_a_finished_run_is_not_trained_again(
    source: Source, tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    seen: list[Step] = []
    fit(network(), (source,), tiny_settings, tmp_path, on_step=ignore)

    again = fit(network(), (source,), tiny_settings, tmp_path, on_step=seen.append)

    assert len(again) == 6
    assert not seen


def test_every_step_is_told_and_logged(
    source: Source, tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    told: list[Step] = []

    history = fit(network(), (source,), tiny_settings, tmp_path, on_step=told.append)

    assert told == history
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0] == "step,loss,learning_rate"
    assert len(lines) == 7


def test_the_learning_rate_warms_up_then_falls_to_zero(
    tiny_settings: TrainingSettings,
) -> None:
    settings = tiny_settings.model_copy(update={"steps": 100, "warmup_steps": 10})
    rates = [schedule(done, settings) for done in range(100)]

    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == 1
    assert all(later < earlier for earlier, later in pairwise(rates[10:]))
    assert 0 < rates[-1] < 0.001


def test_the_same_step_draws_the_same_batch(
    source: Source, tiny_settings: TrainingSettings
) -> None:
    (image, target), (again, _), (other, _) = (
        draw_batch((source,), tiny_settings, done) for done in (3, 3, 4)
    )

    assert image.shape == target.shape == (2, 1, 32, 32)
    assert torch.equal(image, again)
    assert not torch.equal(image, other)


def test_bfloat16_learns_too(
    source: Source, tiny_settings: TrainingSettings, tmp_path: Path
) -> None:
    low = tiny_settings.model_copy(update={"precision": "bfloat16"})

    curve = losses(fit(network(), (source,), low, tmp_path, on_step=ignore))

    (tmp_path / "checkpoint.pt").unlink()
    exact = losses(fit(network(), (source,), tiny_settings, tmp_path, on_step=ignore))
    assert curve == pytest.approx(exact, rel=0.05)


def test_settled_norms_do_not_depend_on_the_batches_before(
    source: Source, tiny_settings: TrainingSettings
) -> None:
    fresh, other = network(), network()
    other(1000 * torch.ones(2, 1, 32, 32))

    settle_norms(fresh, (source,), tiny_settings)
    settle_norms(other, (source,), tiny_settings)

    for ours, theirs in zip(fresh.buffers(), other.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert not fresh.training
