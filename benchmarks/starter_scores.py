"""Score a model beside a classical baseline, on fields that it was not trained on.

    python benchmarks/starter_scores.py DATA_FOLDER [--model starter] [--json FILE]
        [--only DATA_SET ...] [--zooms [ZOOM ...]]

Prints tables in Markdown: the model card's figures. DATA_FOLDER has the folders
`usiigaci`, `bbbc039`, `dsb2018` and `c2c12`. Measures are means over images. An error is
that of all cells, or images, together; by image it is the mean over images of its size.
Confluence and its errors are in parts of the field. Last, the model's OP_CSB on the same
fields enlarged or reduced.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pandas as pd
from classical import BASELINES
from starter_fields import SIMULATED, DataSet, data_sets, zoomed

from samcell_live.records import Labels
from samcell_live.segmentation.preprocess import GreyImage
from samcell_live.segmentation.segmenter import Segmenter
from samcell_live.training.fields import Field
from samcell_live.training.metrics.counts import relative_error
from samcell_live.training.scores import FieldScore, mean_op_csb, score_field

Find: TypeAlias = Callable[[GreyImage], Labels]

MODEL = "model"
MAKING = ("model", "weights_sha256", "package", "device", "precision")
ONE_BY_ONE = "usiigaci/val"
ZOOMS = (0.5, 0.71, 1.0, 1.4, 2.0)
SCORES = (
    *("seg", "det", "op_csb", "ap50", "true_cell_count", "cell_count", "count_error"),
    *("true_confluence", "confluence", "confluence_error"),
)
FORMATS = {
    "images": "d",
    "SEG": ".3f",
    "DET": ".3f",
    "OP_CSB": ".3f",
    "AP50": ".3f",
    "cells": ".0f",
    "cells found": ".0f",
    "count error": "+.1%",
    "count error by image": ".1%",
    "confluence": ".1%",
    "confluence found": ".1%",
    "confluence error": "+.1%",
    "confluence error by image": ".1%",
}


class Result(NamedTuple):
    """What was found on one data set."""

    by_finder: Mapping[str, list[FieldScore]]
    """The model's scores, then those of the baselines, by name."""
    by_zoom: Mapping[float, float]
    """The model's OP_CSB on the resized fields."""


def measure(data_set: DataSet, model: Find, zooms: Sequence[float]) -> Result:
    """Score model and baselines on one data set."""
    fields = data_set.scored()
    finders: dict[str, Find] = {MODEL: model, **BASELINES[data_set.name]}
    by_finder = {name: score(fields, find) for name, find in finders.items()}
    by_zoom = {
        zoom: mean_op_csb(score((zoomed(one, zoom) for one in fields), model))
        for zoom in zooms
    }
    return Result(by_finder, by_zoom)


def score(fields: Iterable[Field], find: Find) -> list[FieldScore]:
    """Score a segmenter on each field."""
    return [score_field(one.name, one.labels, find(one.image)) for one in fields]


def summary(scores: Sequence[FieldScore]) -> dict[str, float]:
    """Sum up some fields, in the columns of `FORMATS`."""
    rows = pd.DataFrame([{name: getattr(one, name) for name in SCORES} for one in scores])
    mean, size = rows.mean(), rows.abs().mean()
    true, found = rows["true_cell_count"].sum(), rows["cell_count"].sum()
    values = (
        *(len(rows), mean["seg"], mean["det"], mean["op_csb"], mean["ap50"]),
        *(true, found, relative_error(true, found), size["count_error"]),
        *(mean["true_confluence"], mean["confluence"]),
        *(mean["confluence_error"], size["confluence_error"]),
    )
    return dict(zip(FORMATS, values, strict=True))


def line(name: str, scores: Sequence[FieldScore]) -> list[str]:
    """One line of a table with the columns of `FORMATS`."""
    values = summary(scores)
    return [name, *(f"{values[column]:{FORMATS[column]}}" for column in FORMATS)]


def print_table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Print a table in Markdown."""
    print()
    for cells in (head, ["---"] * len(head), *lines):
        print(f"| {' | '.join(cells)} |")


def print_results(results: Mapping[str, Result]) -> None:
    """Print the tables, as far as they are known."""
    lines = [
        line(f"{name}, {finder}", scores)
        for name, result in results.items()
        for finder, scores in result.by_finder.items()
    ]
    print_table(["data set", *FORMATS], lines)
    print(f"\nNot better than a baseline: {', '.join(beaten(results)) or 'nowhere'}.")
    if ONE_BY_ONE in results:
        scores = results[ONE_BY_ONE].by_finder[MODEL]
        print_table([ONE_BY_ONE, *FORMATS], [line(one.name, [one]) for one in scores])
    if SIMULATED in results:
        scores = results[SIMULATED].by_finder[MODEL]
        by_hour = groupby(scores, key=lambda one: one.name.partition(",")[0])
        print_table([SIMULATED, *FORMATS], [line(hour, [*some]) for hour, some in by_hour])


def print_zooms(results: Mapping[str, Result], zooms: Sequence[float]) -> None:
    """Print how well the model does on resized fields."""
    lines = [
        [name, *(f"{op_csb:.3f}" for op_csb in result.by_zoom.values())]
        for name, result in results.items()
    ]
    print_table(["OP_CSB at zoom", *map(str, zooms)], lines)


def beaten(results: Mapping[str, Result]) -> list[str]:
    """Name the data sets where a baseline has at least the model's OP_CSB."""
    names = []
    for name, result in results.items():
        model, *others = (mean_op_csb(scores) for scores in result.by_finder.values())
        if not model > max(others):
            names.append(name)
    return names


def for_json(results: Mapping[str, Result]) -> dict[str, object]:
    """Gather all that was found; None is what is not known."""

    def known(scores: Sequence[FieldScore]) -> dict[str, float | None]:
        items = summary(scores).items()
        return {name: None if math.isnan(value) else float(value) for name, value in items}

    return {
        name: {
            "all images": {one: known(scores) for one, scores in result.by_finder.items()},
            "by image": {
                finder: {one.name: known([one]) for one in scores}
                for finder, scores in result.by_finder.items()
            },
            "OP_CSB by zoom": result.by_zoom,
        }
        for name, result in results.items()
    }


def main() -> None:
    """Score the model that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="Folder of the data sets.")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--json", type=Path, help="File for the scores of all images.")
    parser.add_argument("--only", nargs="+", choices=BASELINES, default=[*BASELINES])
    parser.add_argument("--zooms", type=float, nargs="*", default=ZOOMS)
    chosen = parser.parse_args()
    segmenter = Segmenter.from_name(chosen.model)
    making = asdict(segmenter.making)
    print(", ".join(f"{name}: {making[name]}" for name in MAKING))

    def model(image: GreyImage) -> Labels:
        return segmenter(image).labels

    results = {
        data_set.name: measure(data_set, model, chosen.zooms)
        for data_set in data_sets(chosen.data)
        if data_set.name in chosen.only
    }
    print_results(results)
    if chosen.zooms:
        print_zooms(results, chosen.zooms)
    if chosen.json:
        text = json.dumps({"making": making, "data sets": for_json(results)}, indent=2)
        chosen.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
