"""Ablation studies from settings to tables, going on where they were stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from samcell_live.training.ablation.cells import MAPS, Quality, load_with_patches, score
from samcell_live.training.ablation.paper import Study
from samcell_live.training.ablation.plan import Plan, make_plan
from samcell_live.training.ablation.settings import Variant
from samcell_live.training.ablation.weights import find_or_train
from samcell_live.training.thresholds import Thresholds
from samcell_live.training.tuning.grid import Grid
from samcell_live.training.tuning.maps import DistanceMaps
from samcell_live.training.tuning.search import JudgedImages, Tuning, open_images, tune
from samcell_live.training.tuning.surface import average

if TYPE_CHECKING:
    from pathlib import Path

    from samcell_live.segmentation.segmenter import Segmenter
    from samcell_live.training.ablation.settings import AblationSettings
    from samcell_live.training.finetune.losses import Step
    from samcell_live.training.tuning.surface import Surface


class ScoredRow(NamedTuple):
    """One row of a study's table."""

    study: Study
    label: str
    qualities: tuple[Quality, ...]
    """For each data set that was judged on."""


class Ablation(NamedTuple):
    """What the studies found."""

    judged_on: tuple[str, ...]
    rows: tuple[ScoredRow, ...]
    thresholds: Tuning | None
    """None if they were not searched."""


@dataclass(frozen=True, slots=True, eq=False)
class Listeners:
    """Who is told of progress."""

    on_plan: Callable[[int], None] = field(default=lambda n_cells: None)
    on_step: Callable[[Variant, Step], None] = field(default=lambda variant, step: None)
    on_cell: Callable[[Variant, str, Quality], None] = field(
        default=lambda variant, data_set, quality: None
    )
    stop: threading.Event = field(default_factory=threading.Event)
    """Set it to end after the optimiser step or the score at hand."""


def ablate(
    settings: AblationSettings,
    folder: Path,
    *,
    device: str = "auto",
    listeners: Listeners | None = None,
) -> Ablation | None:
    """Do all studies: train what is not trained, score what is not scored.

    Parameters
    ----------
    settings : AblationSettings
    folder : Path
        Made if need be. Gets ``weights/``, ``maps/`` and ``scores/``, from which the same
        call goes on.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    listeners : Listeners, optional

    Returns
    -------
    Ablation or None
        None if it was stopped.

    Raises
    ------
    ValueError
        If something is missing for a study, or images cannot be read.
    RuntimeError
        If training fails.
    """
    told = listeners or Listeners()
    plan = make_plan(settings)
    judged = _open_judged(settings, plan)
    told.on_plan(len(plan.cells))
    qualities: dict[tuple[Variant, str], Quality] = {}
    surfaces: dict[str, Surface] = {}
    for variant, cells in groupby(plan.cells, key=lambda cell: cell[0]):
        weights = find_or_train(
            variant, settings, folder, device=device, on_step=told.on_step, stop=told.stop
        )
        if weights is None:
            return None
        segmenter = load_with_patches(weights, variant.patch_px, device)
        for cell in cells:
            if told.stop.is_set():
                return None
            _, name = cell
            qualities[cell] = score(segmenter, judged[name], _own(settings), folder)
            if settings.studies.thresholds and cell in _baseline(plan):
                surfaces[name] = _search(segmenter, judged[name], settings, folder)
            told.on_cell(*cell, qualities[cell])
    rows = tuple(
        ScoredRow(
            row.study,
            row.label,
            tuple(
                qualities[cell] for cell in zip(row.variants, plan.judged_on, strict=True)
            ),
        )
        for row in plan.rows
    )
    return Ablation(plan.judged_on, rows, _together(plan, surfaces))


def _open_judged(settings: AblationSettings, plan: Plan) -> dict[str, JudgedImages]:
    places = settings.data_sets
    return {
        name: open_images(test, places[name].split, name)
        for name in plan.judged_on
        if (test := places[name].test) is not None
    }


def _own(settings: AblationSettings) -> Thresholds:
    return Thresholds(settings.peak_threshold, settings.fill_threshold)


def _baseline(plan: Plan) -> set[tuple[Variant, str]]:
    return set(zip(plan.baseline, plan.judged_on, strict=True))


def _search(
    segmenter: Segmenter, images: JudgedImages, settings: AblationSettings, folder: Path
) -> Surface:
    maps = DistanceMaps(segmenter, folder / MAPS)
    found = tune([images], maps, _own(settings), Grid.even(settings.step))
    return found.data_sets[0]


def _together(plan: Plan, surfaces: dict[str, Surface]) -> Tuning | None:
    if not surfaces:
        return None
    in_order = tuple(surfaces[name] for name in plan.judged_on)
    return Tuning(in_order, average(in_order))
