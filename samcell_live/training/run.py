"""Train a starter network: from settings to a weights file with its scores."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import numpy as np
import torch

import samcell_live
from samcell_live.segmentation.formats import read_weights, write_starter
from samcell_live.segmentation.headers import StarterHeader
from samcell_live.segmentation.inference import choose_device
from samcell_live.segmentation.segmenter import Segmenter, load_segmenter
from samcell_live.segmentation.starter import StarterNetwork
from samcell_live.settings import SegmentationSettings
from samcell_live.training.fields import read_fields
from samcell_live.training.report import TrainingReport, write_report
from samcell_live.training.scores import score_field
from samcell_live.training.sources import gather_sources, tuning_fields
from samcell_live.training.thresholds import (
    PROMINENCES,
    Example,
    Thresholds,
    tune_thresholds,
)
from samcell_live.training.train import Step, fit, settle_norms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from samcell_live.segmentation.headers import Teacher
    from samcell_live.training.fields import Field, Source
    from samcell_live.training.settings import TrainingSettings

SETTINGS = "settings.json"
WEIGHTS = "starter.safetensors"
HARDWARE = {"checkpoint_every", "workers"}
"""Settings that change where and in which pieces is computed, not what."""
FIRST_THRESHOLDS = Thresholds(peak=0.47, fill=0.09)
"""SAMCell's; used until the network's own are found."""
BEST_SEEN = 1.3
"""Diameter to which images are zoomed, over that of most cells trained on. A little larger
they have more pixels and are still among those that the network knows: decision 16."""


def train_starter(
    settings: TrainingSettings,
    run_folder: Path,
    *,
    device: str = "auto",
    on_step: Callable[[Step], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> TrainingReport | None:
    """Train the starter network, tune its thresholds, score it and write it down.

    A run that was stopped goes on from its last checkpoint when it is started again
    with the same settings and folder. The thresholds are tuned on training fields and
    freshly simulated ones, never on the validation folder.

    Parameters
    ----------
    settings : TrainingSettings
    run_folder : Path
        Made if need be. Gets ``settings.json``, ``checkpoint.pt``, ``log.csv``,
        ``starter.safetensors``, ``summary.txt`` and a picture of each validation field.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    on_step : callable
        Told of every optimiser step.
    stop : threading.Event, optional
        Set it to end, with a checkpoint, after the optimiser step at hand.

    Returns
    -------
    TrainingReport or None
        None if it was stopped before the last step.

    Raises
    ------
    ValueError
        If there is nothing to train on, a folder cannot be read, the device is not
        there, or the run folder belongs to other settings.
    """
    place = choose_device(device)
    validation = read_fields(settings.validation) if settings.validation else ()
    sources = gather_sources(settings)
    teacher = _teacher_of(settings.start) if settings.start else None
    claim(run_folder, settings)
    return learn(
        sources, validation, settings, run_folder, place,
        teacher=teacher, on_step=on_step, stop=stop,
    )  # fmt: skip


def learn(
    sources: tuple[Source, ...],
    validation: tuple[Field, ...],
    settings: TrainingSettings,
    run_folder: Path,
    device: torch.device,
    *,
    teacher: Teacher | None = None,
    on_step: Callable[[Step], None],
    stop: threading.Event | None,
) -> TrainingReport | None:
    """Train on fields that are at hand; all of `train_starter` but gathering them.

    Parameters
    ----------
    sources : tuple of Source
        What is trained and tuned on.
    validation : tuple of Field
        Only scored.
    settings : TrainingSettings
    run_folder : Path
        One that `claim` has made.
    device : torch.device
    teacher : Teacher, optional
        Whose maps and labels those of the fields are; the weights will say so.
    on_step, stop
        As for `train_starter`.

    Returns
    -------
    TrainingReport or None
        None if it was stopped before the last step.
    """
    network = _new_network(settings).to(device)
    history = fit(network, sources, settings, run_folder, on_step=on_step, stop=stop)
    if len(history) < settings.steps:
        return None
    settle_norms(network, sources, settings)

    weights = run_folder / WEIGHTS
    untuned = _header(settings, sources, FIRST_THRESHOLDS, teacher)
    write_starter(weights, network.state_dict(), untuned)
    thresholds = tune_thresholds(
        list(_examples(load_weights(weights, device), sources, settings)), PROMINENCES
    )
    tuned = _header(settings, sources, thresholds, teacher)
    write_starter(weights, network.state_dict(), tuned)

    segmenter = load_weights(weights, device)
    segmented = [(field, segmenter(field.image).labels) for field in validation]
    report = TrainingReport(
        weights=weights,
        steps=len(history),
        final_loss=float(np.mean([step.loss for step in history[-100:]])),
        thresholds=thresholds,
        scores=tuple(
            score_field(field.name, field.labels, found) for field, found in segmented
        ),
    )
    write_report(report, segmented, run_folder)
    return report


def claim(run_folder: Path, settings: TrainingSettings) -> None:
    """Write the settings into the run folder, or see that they are those of before.

    Raises
    ------
    ValueError
        If the folder belongs to a run of other settings.
    """
    refuse_other_run(run_folder, settings)
    run_folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(settings.model_dump(mode="json"), indent=2)
    (run_folder / SETTINGS).write_text(text + "\n", encoding="utf-8")


def refuse_other_run(run_folder: Path, settings: TrainingSettings) -> None:
    """Refuse a folder that `claim` has made for a run of other settings.

    Raises
    ------
    ValueError
        If this is one.
    """
    path = run_folder / SETTINGS
    if not path.exists():
        return
    ours = settings.model_dump(mode="json", exclude=HARDWARE)
    theirs = json.loads(path.read_text(encoding="utf-8"))
    changed = sorted(name for name in ours if ours[name] != theirs.get(name))
    if changed:
        name = changed[0]
        raise ValueError(
            f"{run_folder} holds a run whose {name} is {theirs.get(name)!r}, not "
            f"{ours[name]!r}. Go on with its own settings, or train in another folder."
        )


def _new_network(settings: TrainingSettings) -> StarterNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        network = StarterNetwork(settings.channels)
    if settings.start is not None:
        _go_on_from(settings.start, network)
    return network.to(memory_format=torch.channels_last)


def _go_on_from(path: Path, network: StarterNetwork) -> None:
    weights = read_weights(path)
    try:
        network.load_state_dict(weights.tensors)
    except RuntimeError as error:
        raise ValueError(
            f"start is {path}, whose weights do not fit the network of these settings: "
            f"{error}"
        ) from error


def _teacher_of(start: Path) -> Teacher | None:
    """Whose terms bind what goes on from these weights: their teacher, if they had one."""
    starter = read_weights(start).starter
    return starter.teacher if starter else None


def load_weights(weights: Path, device: torch.device) -> Segmenter:
    """Load what was trained as a user would, with its own thresholds."""
    return load_segmenter(SegmentationSettings(model=str(weights)), device=device)


def _examples(
    segmenter: Segmenter, sources: tuple[Source, ...], settings: TrainingSettings
) -> Iterator[Example]:
    for source in sources:
        fields = tuning_fields(source, settings)
        for field in fields:
            distance = segmenter.predict_distance(field.image)
            yield Example(distance, field.labels, source.share / len(fields))


def _header(
    settings: TrainingSettings,
    sources: tuple[Source, ...],
    thresholds: Thresholds,
    teacher: Teacher | None,
) -> StarterHeader:
    return StarterHeader(
        channels=settings.channels,
        peak_threshold=thresholds.peak,
        fill_threshold=thresholds.fill,
        prominence=thresholds.prominence,
        cell_diameter_px=BEST_SEEN * settings.diameter_px,
        package=f"samcell_live {samcell_live.__version__}",
        trained_on=tuple(source.name for source in sources),
        steps=settings.steps,
        settings=settings.model_dump(mode="json"),
        teacher=teacher,
    )
