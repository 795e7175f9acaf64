"""Which preset of SAMCell scores better, measured on stand-ins for its weights.

    python benchmarks/preset.py DATA [--steps 3000] [--seed 1]
        [--precision bfloat16] [--networks FOLDER] [--rows rows.csv]

SAMCell's own weights are not needed: two small networks are trained on images prepared
as the two published versions of its training code prepare them, and are run with every
choice of preparation, tiling and markers. DATA holds the folders `usiigaci`, `bbbc039`,
`dsb2018` and `c2c12`. Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from preset_choices import MARKERS, PREPARATIONS, TILINGS, Choice, Prepare
from preset_fields import (
    LabelledImage,
    read_scored,
    read_training,
    with_hot_pixels,
    with_one_cell,
)
from preset_network import TRAINED_ON, stand_in
from torch import Tensor, nn

from samcell_live.records import DistanceMap, Labels
from samcell_live.segmentation.preprocess import GreyImage
from samcell_live.segmentation.watershed import split_cells
from samcell_live.training.metrics import op_csb
from samcell_live.training.scores import score_field

PAPER = (0.47, 0.09)
PEAKS, FILLS = (0.35, 0.47, 0.6), (0.06, 0.09, 0.14, 0.2)
TUNED_EVERY = 15
"""Every so-manyth training field is one that thresholds are tuned on."""
AS_THEY_ARE = "as they are"
PLAIN = Choice("min-max", "224", "region")
"""As the network was trained and the paper describes; others are compared with it."""
ROBUST = Choice("min-max of 3 x 3 median", "224", "region of 4 px")
REFERENCE = Choice("CLAHE 1 per tile", "192 as reference", "centroid")
CROSSED = ("min-max", "CLAHE 1", "min-max per tile", "CLAHE 1 per tile")
"""Preparations that are tried with either tiling and several kinds of markers."""
BY_PREPARATION = [PLAIN._replace(preparation=name) for name in PREPARATIONS]
BY_TILING_AND_MARKERS = [
    *(PLAIN._replace(markers=name) for name in MARKERS),
    PLAIN._replace(tiling="192"),
    *map(Choice._make, product(CROSSED[1:], ["224"], ["region of 4 px", "centroid"])),
    *map(Choice._make, product(CROSSED, ["192 as reference"], ["region", "centroid"])),
    ROBUST,
]
ON_HARD_IMAGES = [*BY_PREPARATION, ROBUST, REFERENCE]
SCORES = ("seg", "det", "op_csb", "count_error", "confluence_error")


class Row(NamedTuple):
    """One field, run with one choice."""

    trained_on: str
    choice: str
    thresholds: str
    """``tuned`` for this choice, or the ``paper``'s."""
    peak: float
    fill: float
    images: str
    """``as they are``, or what was done to them."""
    source: str
    field: str
    seg: float
    det: float
    op_csb: float
    count_error: float
    confluence_error: float


def measure(
    network: nn.Module,
    trained_on: str,
    tuned: list[LabelledImage],
    scored: dict[str, list[LabelledImage]],
) -> Iterator[Row]:
    """Run a network with every choice; on harder images, only with some."""
    for choice in dict.fromkeys([*BY_PREPARATION, *BY_TILING_AND_MARKERS]):
        print(f"{trained_on}: {choice.label}", file=sys.stderr)
        thresholds = {"tuned": tune(network, choice, tuned), "paper": PAPER}
        for images, fields in scored.items():
            if images != AS_THEY_ARE and choice not in ON_HARD_IMAGES:
                continue
            for field in fields:
                distance = predict(network, choice, field.image)
                for kind, (peak, fill) in thresholds.items():
                    found = split(distance, choice.markers, peak, fill)
                    score = score_field(field.name, field.labels, found)
                    yield Row(
                        trained_on,
                        choice.label,
                        kind,
                        peak,
                        fill,
                        images,
                        field.source,
                        field.name,
                        *(getattr(score, name) for name in SCORES),
                    )


def predict(network: nn.Module, choice: Choice, image: GreyImage) -> DistanceMap:
    """Prepare an image, run the network over its tiles and blend them."""
    prepare_image, prepare_tile = PREPARATIONS[choice.preparation]
    return TILINGS[choice.tiling](
        prepare_image(image), lambda tiles: _predict_tiles(network, prepare_tile, tiles)
    )


def _predict_tiles(network: nn.Module, prepare_tile: Prepare, tiles: Tensor) -> Tensor:
    prepared = np.stack([prepare_tile(tile) for tile in tiles.numpy()])
    with torch.inference_mode():
        logits: Tensor = network(torch.from_numpy(prepared)[:, None])
    return torch.sigmoid(logits[:, 0])


def split(distance: DistanceMap, markers: str, peak: float, fill: float) -> Labels:
    """Grow cells from markers of this kind."""
    return split_cells(
        distance,
        peak_threshold=peak,
        fill_threshold=fill,
        markers=MARKERS[markers](np.asarray(distance > peak)),
        threads=1,
    )


def tune(
    network: nn.Module, choice: Choice, fields: list[LabelledImage]
) -> tuple[float, float]:
    """Find the peak and fill with the best OP_CSB; every training set weighs the same."""
    maps = [predict(network, choice, field.image) for field in fields]
    sources = np.array([field.source for field in fields])

    def quality(thresholds: tuple[float, float]) -> float:
        scores = np.array(
            [
                op_csb(field.labels, split(distance, choice.markers, *thresholds))
                for field, distance in zip(fields, maps, strict=True)
            ]
        )
        return float(np.mean([scores[sources == name].mean() for name in set(sources)]))

    return max(product(PEAKS, FILLS), key=quality)


def report(rows: pd.DataFrame) -> None:
    """Print the tables of one stand-in."""
    as_they_are = rows[rows["images"] == AS_THEY_ARE]
    print("\nPreparation, at stride 224 with regions as markers:\n")
    print_comparison(as_they_are, BY_PREPARATION)
    print("\nTiling and markers:\n")
    print_comparison(as_they_are, BY_TILING_AND_MARKERS)
    print("\nOP_CSB on harder images, at the thresholds tuned on images as they are:\n")
    print_harder(rows[rows["thresholds"] == "tuned"])


def print_comparison(rows: pd.DataFrame, choices: list[Choice]) -> None:
    """Print means over the fields of each data set, and differences to the plain one."""
    print(
        "| choice | peak, fill | data | SEG | DET | OP_CSB | against plain | "
        "count off by | confluence off by | OP_CSB at 0.47, 0.09 | against plain |\n"
        f"|{' --- |' * 11}"
    )
    for choice, source in product(choices, rows["source"].unique()):
        tuned = fields_of(rows, choice, "tuned", source)
        paper = fields_of(rows, choice, "paper", source)
        cells = [
            choice.label,
            f"{tuned['peak'].iloc[0]}, {tuned['fill'].iloc[0]}",
            source,
            *(f"{tuned[name].mean():.3f}" for name in ("seg", "det", "op_csb")),
            paired_difference(tuned, fields_of(rows, PLAIN, "tuned", source)),
            f"{tuned['count_error'].abs().mean():.0%}",
            f"{tuned['confluence_error'].abs().mean() * 100:.1f} points",
            f"{paper['op_csb'].mean():.3f}",
            paired_difference(paper, fields_of(rows, PLAIN, "paper", source)),
        ]
        print(f"| {' | '.join(cells)} |")


def fields_of(
    rows: pd.DataFrame, choice: Choice, thresholds: str, source: str
) -> pd.DataFrame:
    """Scores of one choice on one data set, by field."""
    asked = (rows["choice"] == choice.label) & (rows["thresholds"] == thresholds)
    return rows[asked & (rows["source"] == source)].set_index("field")


def paired_difference(scores: pd.DataFrame, others: pd.DataFrame) -> str:
    """Mean difference of OP_CSB on the same fields, and its standard error."""
    difference = (scores["op_csb"] - others["op_csb"]).to_numpy(dtype=float)
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return f"{difference.mean():+.3f} ± {error:.3f}"


def print_harder(rows: pd.DataFrame) -> None:
    """Print the mean OP_CSB of each data set as it is and made harder."""
    rows = rows.assign(data=rows["images"] + ", " + rows["source"])
    means = rows.pivot_table("op_csb", index="choice", columns="data")
    names = [str(name) for name in means.columns]
    print(f"| choice | {' | '.join(names)} |\n|{' --- |' * (1 + len(names))}")
    asked = means.reindex([choice.label for choice in ON_HARD_IMAGES])
    for label, scores in zip(asked.index, asked.to_numpy(dtype=float), strict=True):
        print(f"| {label} | {' | '.join(f'{score:.3f}' for score in scores)} |")


def main() -> None:
    """Train what is not there yet, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--networks", type=Path, default=Path("preset_networks"))
    parser.add_argument("--rows", type=Path, help="CSV file for every field's scores")
    options = parser.parse_args()
    torch.set_num_threads(1)
    machine = platform.processor() or platform.machine()
    print(f"machine: {machine}, {os.cpu_count()} cores; torch {torch.__version__}")
    training, as_they_are = read_training(options.data), read_scored(options.data)
    nuclei = [field for field in as_they_are if field.source == "bbbc039"]
    scored = {
        AS_THEY_ARE: as_they_are,
        "hot pixels": [with_hot_pixels(field) for field in as_they_are],
        "one cell": [with_one_cell(field) for field in nuclei[::2]],
    }
    tables = []
    for name in TRAINED_ON:
        network = stand_in(
            name,
            options.networks,
            training,
            steps=options.steps,
            precision=getattr(torch, options.precision),
            seed=options.seed,
        )
        measured = measure(network, name, training[::TUNED_EVERY], scored)
        tables.append(pd.DataFrame(list(measured)))
        print(f"\n## Trained on images prepared by {name}, seed {options.seed}")
        report(tables[-1])
    if options.rows:
        pd.concat(tables).to_csv(options.rows, index=False)


if __name__ == "__main__":
    main()
