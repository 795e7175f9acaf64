"""Fine-tune SAMCell: from settings to weights that segment, and a report."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from lightning.fabric import Fabric
from lightning.fabric.loggers.tensorboard import TensorBoardLogger
from lightning.fabric.utilities.rank_zero import rank_zero_only

from samcell_live.segmentation.formats import read_weights
from samcell_live.segmentation.inference import check_precision, choose_device
from samcell_live.segmentation.network import PATCH_PX
from samcell_live.segmentation.segmenter import load_segmenter
from samcell_live.settings import SegmentationSettings
from samcell_live.training.finetune.checkpoint import Provenance
from samcell_live.training.finetune.crops import Crops
from samcell_live.training.finetune.export import BEST, BestWeights
from samcell_live.training.finetune.images import split_images
from samcell_live.training.finetune.loop import CHECKPOINT, FinetuneLoop, Listeners
from samcell_live.training.finetune.losses import best_step, is_finished
from samcell_live.training.finetune.report import FinetuneReport, Prediction, write_report
from samcell_live.training.finetune.settings import HARDWARE, NO_AUGMENTATION
from samcell_live.training.finetune.start import find_start
from samcell_live.training.thresholds import Example, tune_thresholds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from samcell_live.records import DistanceMap
    from samcell_live.training.finetune.images import ImageSplit, TrainingImage
    from samcell_live.training.finetune.losses import Step
    from samcell_live.training.finetune.settings import FinetuneSettings

SETTINGS = "settings.json"
TENSORBOARD = "tensorboard"
PREPARED = "prepared"
TUNING_IMAGES = 8
"""Thresholds are tuned on this many of the validation images, and these are pictured."""


def finetune(
    settings: FinetuneSettings,
    run_folder: Path,
    *,
    device: str = "auto",
    listeners: Listeners | None = None,
) -> FinetuneReport | None:
    """Fine-tune SAMCell, tune its thresholds and write it all down.

    A run that was stopped or killed goes on from its last checkpoint when it is started
    again with the same settings and folder, and comes to the same losses.

    Parameters
    ----------
    settings : FinetuneSettings
    run_folder : Path
        Made if need be. Gets ``prepared/``, ``settings.json``, ``checkpoint.pt``,
        ``losses.csv``, ``tensorboard/``, ``best.safetensors``, ``summary.txt`` and
        ``report.png``.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    listeners : Listeners, optional
        Who is told of steps, and who may stop the run.

    Returns
    -------
    FinetuneReport or None
        None if it was stopped before its end, and in all processes but the first.

    Raises
    ------
    ValueError
        If there is nothing to learn from or to validate on, the start is no SAM, the
        device is not there, or the run folder belongs to other settings.
    RuntimeError
        If the loss is no number any more, or the crops do not fit in memory.
    """
    listeners = listeners or Listeners()
    place = choose_device(device)
    check_precision(settings.precision, place)
    _refuse_other_run(run_folder, settings)
    images = split_images(
        settings.images,
        settings.validation,
        settings.prepared or run_folder / PREPARED,
        fit_px=settings.fit_px,
        on_image=listeners.on_image,
    )
    start = find_start(settings)
    fabric = _launch(settings, place, run_folder)
    if fabric.is_global_zero:
        _write_settings(run_folder, settings)
    fabric.barrier()

    best = BestWeights(
        path=run_folder / BEST,
        start=start,
        settings=settings,
        trained_on=tuple("/".join(folder.parts[-2:]) for folder in settings.images),
        n_images=len(images.training),
        cell_diameter_px=images.training.cell_diameter_px,
    )
    side_px = settings.patch_px or start.network.architecture.grid * PATCH_PX // 4
    loop = FinetuneLoop(
        fabric,
        start.network,
        Crops(images.training, side_px, settings.augmentation, settings.seed),
        Crops(images.validation, side_px, NO_AUGMENTATION, settings.seed),
        settings=settings,
        folder=run_folder,
        provenance=Provenance(settings, start.name, start.sha256, best.trained_on),
        listeners=listeners,
        on_best=best.write,
    )
    with _repeatable():
        history = loop.run()
    if not is_finished(history, settings) or not fabric.is_global_zero:
        return None
    return _finish(best, images, history, fabric.device)


def _launch(settings: FinetuneSettings, place: torch.device, run_folder: Path) -> Fabric:
    """Bring the devices together; the other processes begin where the command began."""
    fabric = Fabric(
        accelerator=place.type,
        devices=settings.devices,
        strategy="ddp" if settings.devices > 1 else "auto",
        precision="bf16-mixed" if settings.precision == "bfloat16" else "32-true",
        loggers=TensorBoardLogger(run_folder, name=TENSORBOARD, version=""),
    )
    fabric.launch()
    return fabric


@contextmanager
def _repeatable() -> Iterator[None]:
    """Let torch sum in the same order every time, and warn where it cannot."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("warn")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)


def _refuse_other_run(run_folder: Path, settings: FinetuneSettings) -> None:
    """Refuse to go on with a run of other settings."""
    path = run_folder / SETTINGS
    if not (run_folder / CHECKPOINT).exists() or not path.exists():
        return
    ours = settings.model_dump(mode="json")
    theirs = json.loads(path.read_text(encoding="utf-8"))
    changed = {name for name in ours if ours[name] != theirs.get(name)} - HARDWARE
    for name in sorted(changed):
        raise ValueError(
            f"{run_folder} holds a run whose {name} is {theirs.get(name)!r}, not "
            f"{ours[name]!r}. Go on with its own settings, or train in another folder."
        )


def _write_settings(run_folder: Path, settings: FinetuneSettings) -> None:
    run_folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(settings.model_dump(mode="json"), indent=2)
    (run_folder / SETTINGS).write_text(text + "\n", encoding="utf-8")


def _finish(
    best: BestWeights, images: ImageSplit, history: Sequence[Step], place: torch.device
) -> FinetuneReport:
    """Tune the thresholds of the best weights, and write the report."""
    predictions = _predict(best.path, islice(images.validation, TUNING_IMAGES), place)
    thresholds = tune_thresholds(
        [Example(_known(it), it.image.labels) for it in predictions]
    )
    best.rewrite(read_weights(best.path).tensors, history, thresholds)
    report = FinetuneReport(
        weights=best.path,
        steps=len(history),
        best=best_step(history),
        thresholds=thresholds,
        n_training=len(images.training),
        n_validation=len(images.validation),
    )
    write_report(best.path.parent, report, history, predictions)
    return report


def _predict(
    weights: Path, images: Iterable[TrainingImage], place: torch.device
) -> list[Prediction]:
    segmenter = load_segmenter(SegmentationSettings(model=str(weights)), device=place)
    return [Prediction(it, segmenter.predict_distance(it.image)) for it in images]


def _known(prediction: Prediction) -> DistanceMap:
    """Predicted map, background where the truth says nothing."""
    unknown = np.isnan(prediction.image.distance)
    return np.where(unknown, np.float32(0), prediction.distance)


def is_first_process() -> bool:
    """Whether this is the process that the user began, not one that shares its work."""
    rank: int = cast("Any", rank_zero_only).rank  # set by Lightning, unknown to mypy
    return rank == 0
