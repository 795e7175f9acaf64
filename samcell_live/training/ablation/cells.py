"""One cell of a table: one variant's weights judged on one data set, once."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel

import samcell_live
from samcell_live.segmentation.inference import choose_device
from samcell_live.segmentation.models import Model, load_model
from samcell_live.segmentation.segmenter import Segmenter
from samcell_live.segmentation.tiling import EvenTiling
from samcell_live.segmentation.watershed import split_cells
from samcell_live.settings import SegmentationSettings
from samcell_live.training.evaluation import evaluate
from samcell_live.training.evaluation.sources import Predictions, Truth
from samcell_live.training.tuning.maps import DistanceMaps
from samcell_live.training.tuning.search import JudgedImages, judge

if TYPE_CHECKING:
    from pathlib import Path

    from samcell_live.records import Labels
    from samcell_live.training.data.labelled import LabelledImage
    from samcell_live.training.thresholds import Thresholds

MAPS, SCORES = "maps", "scores"
OVERLAPS_PER_PATCH = 8
"""Patches share an eighth with their neighbours: 32 of 256 px, as in the paper."""


class Quality(NamedTuple):
    """Scores of all cells of a data set."""

    seg: float
    det: float
    op_csb: float


class _Kept(BaseModel, frozen=True):
    """A score as it is kept."""

    about: dict[str, str]
    quality: Quality


def load_with_patches(weights: Path, patch_px: int, device: str) -> Segmenter:
    """Load a network that sees an image in patches of this side.

    Raises
    ------
    ValueError
        If the weights are not SAMCell's, or the device is not there.
    """
    model = with_patches(load_model(weights), patch_px)
    settings = SegmentationSettings(model=str(weights))
    return Segmenter(model, settings, choose_device(device))


def with_patches(model: Model, patch_px: int) -> Model:
    """Have a model's network see patches of this side, resized to what it knows.

    Raises
    ------
    ValueError
        If the network is a starter network.
    """
    if model.name == "starter":
        raise ValueError(
            "A starter network sees images as they are, whatever the patch. Give weights "
            "of SAMCell."
        )
    tiling = EvenTiling(patch_px, patch_px, overlap_px=patch_px // OVERLAPS_PER_PATCH)
    return replace(model, tiling=tiling, name=f"{model.name} at {patch_px} px")


def score(
    segmenter: Segmenter, data_set: JudgedImages, thresholds: Thresholds, folder: Path
) -> Quality:
    """Judge a segmenter's cells, or say what they were judged before.

    What is kept holds for the same weights, patches, thresholds, images and truth only.

    Parameters
    ----------
    segmenter : Segmenter
    data_set : JudgedImages
    thresholds : Thresholds
    folder : Path
        Of the ablation; gets distance maps and scores.

    Raises
    ------
    ValueError
        If an image cannot be read or segmented, or no image has a labelled cell.
    """
    about = {
        "package": f"samcell_live {samcell_live.__version__}",
        "weights_sha256": segmenter.making.weights_sha256,
        "network": segmenter.making.network,
        "thresholds": f"{thresholds.peak} {thresholds.fill}",
        "data_set": data_set.name,
        "images": _digest([f"{it.split}/{it.name} {it.version}" for it in data_set.images]),
    }
    path = folder / SCORES / f"{_digest([json.dumps(about)])[:32]}.json"
    if path.exists():
        return _Kept.model_validate_json(path.read_bytes()).quality
    maps = DistanceMaps(segmenter, folder / MAPS)
    pooled = evaluate(*_both_sides(data_set, maps, thresholds)).pooled()
    if math.isnan(pooled.op_csb):
        raise ValueError(
            f"{data_set.name} has no labelled cell to judge by. Give images with some."
        )
    quality = Quality(pooled.seg, pooled.det, pooled.op_csb)
    kept = _Kept(about=about, quality=quality)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".partial")
    unfinished.write_text(kept.model_dump_json(indent=2), encoding="utf-8")
    unfinished.replace(path)
    return quality


def _both_sides(
    data_set: JudgedImages, maps: DistanceMaps, thresholds: Thresholds
) -> tuple[Predictions, Truth]:
    """Predictions and truth of each image, made when they are asked for."""
    # Numbered, because the parts of a data set may have images of the same name.
    images = {f"{number}: {it.name}": it for number, it in enumerate(data_set.images)}
    predicted = {
        name: partial(_split, image, maps, thresholds) for name, image in images.items()
    }
    outlines = {name: partial(_truth, image) for name, image in images.items()}
    return Predictions(data_set.name, predicted), Truth(data_set.name, outlines)


def _split(image: LabelledImage, maps: DistanceMaps, thresholds: Thresholds) -> Labels:
    distance, _ = judge(image, maps)
    return split_cells(
        distance, peak_threshold=thresholds.peak, fill_threshold=thresholds.fill
    )


def _truth(image: LabelledImage) -> Labels:
    return image.read_truth().labels


def _digest(texts: list[str]) -> str:
    return sha256("\n".join(texts).encode()).hexdigest()
