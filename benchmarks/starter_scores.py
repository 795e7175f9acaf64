"""Score a model on labelled fields and along simulated growth curves.

    python benchmarks/starter_scores.py [--model starter] [--fields FOLDER ...]

Prints tables in Markdown: the model card's figures.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from samcell_live.segmentation.segmenter import Segmenter, load_segmenter
from samcell_live.settings import SegmentationSettings
from samcell_live.simulation.culture import Culture
from samcell_live.simulation.rendering import render_field, true_labels
from samcell_live.training.scores import FieldScore, score_field

if TYPE_CHECKING:
    from collections.abc import Iterator

CULTURE_SEEDS = (1, 2, 3)
HOURS = range(0, 73, 6)
WELLS_UM = (0.0, 9000.0)
SHAPE_PX, PIXEL_SIZE_UM = (512, 512), 0.87


def score_folder(segmenter: Segmenter, folder: Path) -> Iterator[FieldScore]:
    """Score every labelled image of a folder."""
    for mask in sorted(folder.glob("*_mask.png")):
        name = mask.stem.removesuffix("_mask")
        pixels = cv2.imread(str(mask.with_name(f"{name}.png")), cv2.IMREAD_UNCHANGED)
        labels = cv2.imread(str(mask), cv2.IMREAD_UNCHANGED)
        found = segmenter(np.asarray(pixels)).labels
        yield score_field(name, np.asarray(labels, dtype=np.int32), found)


def score_growth(segmenter: Segmenter, hours: float) -> Iterator[FieldScore]:
    """Score one field in each well of each simulated culture at one hour."""
    for seed, x_um in product(CULTURE_SEEDS, WELLS_UM):
        culture = Culture(seed=seed)
        pixels = render_field(
            culture, x_um, 0, 0, hours, shape_px=SHAPE_PX, pixel_size_um=PIXEL_SIZE_UM
        )
        truth = true_labels(
            culture, x_um, 0, hours, shape_px=SHAPE_PX, pixel_size_um=PIXEL_SIZE_UM
        )
        yield score_field(f"{seed} {x_um}", truth, segmenter(pixels, PIXEL_SIZE_UM).labels)


def row(name: str, scores: list[FieldScore]) -> str:
    """One line of a table: means over fields, totals of cells."""

    def mean(column: str) -> float:
        return float(np.nanmean([getattr(score, column) for score in scores]))

    true, found = (
        mean(column) * len(scores) for column in ("true_cell_count", "cell_count")
    )
    cells = f"{true:.0f} | {found:.0f} | {(found - true) / true:+.1%}"
    quality = " | ".join(f"{mean(column):.3f}" for column in ("seg", "det", "op_csb"))
    covered = " | ".join(
        f"{mean(column):.1%}" for column in ("true_confluence", "confluence")
    )
    return f"| {name} | {quality} | {cells} | {covered} |"


HEAD = (
    "SEG | DET | OP_CSB | cells | found | count error | confluence | found |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def main() -> None:
    """Score the model that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--fields", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    segmenter = load_segmenter(SegmentationSettings(model=arguments.model))
    for folder in arguments.fields:
        scores = list(score_folder(segmenter, folder))
        print(f"\n| {folder.parent.name}/{folder.name} | {HEAD}")
        print("\n".join(row(score.name, [score]) for score in scores))
        print(row("all", scores))
    print(f"\n| simulated, hour | {HEAD}")
    everything: list[FieldScore] = []
    for hours in HOURS:
        scores = list(score_growth(segmenter, hours))
        print(row(str(hours), scores))
        everything += scores
    print(row("all", everything))


if __name__ == "__main__":
    main()
