"""An evaluation as files: a line for each image, a summary for scripts, a page."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

import samcell_live
from samcell_live.training.evaluation.evaluation import MEASURES, Evaluation, Quality
from samcell_live.training.evaluation.page import write_page
from samcell_live.training.metrics import IOU_PERCENTS
from samcell_live.training.scores import FieldScore

COLUMNS = (
    "seg",
    "det",
    "op_csb",
    "ap50",
    "mean_ap",
    "f1",
    "true_cell_count",
    "cell_count",
    "count_error",
    "true_confluence",
    "confluence",
    "confluence_error",
)
DIGITS = "%.7g"


class ReportFiles(NamedTuple):
    """What was written."""

    table: Path
    summary: Path
    page: Path


def table(evaluation: Evaluation) -> pd.DataFrame:
    """One line per image, in the order of the truth; what is undefined is NaN."""
    lines = [_line(score, evaluation) for score in evaluation.scores]
    return pd.DataFrame(lines, columns=["image", *COLUMNS, "predicted"])


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """Everything but the images, in what JSON knows; what is undefined is None.

    The capital names are of all cells together, ``mean_over_images`` of images.
    """
    true_cells = evaluation.true_cell_count
    by_iou = zip(IOU_PERCENTS, evaluation.average_precision(), strict=True)
    return {
        **_named(evaluation.pooled()),
        "count_error": _known(evaluation.count_error),
        "confluence_error": _known(evaluation.confluence_error),
        "count_bias": _known(evaluation.count_bias),
        "confluence_bias": _known(evaluation.confluence_bias),
        "mean_over_images": _named(evaluation.mean()),
        "AP_by_IoU": {f"{percent / 100:.2f}": _known(ap) for percent, ap in by_iou},
        "images": len(evaluation.scores),
        "true_cells": None if math.isnan(true_cells) else int(true_cells),
        "cells": evaluation.cell_count,
        "missing": list(evaluation.missing),
        "left_out": list(evaluation.left_out),
        "predictions": evaluation.predictions.title,
        "truth": evaluation.truth.title,
        "package": f"samcell_live {samcell_live.__version__}",
    }


def write_evaluation(folder: Path, evaluation: Evaluation) -> ReportFiles:
    """Write ``images.csv``, ``summary.json`` and ``index.html``.

    Parameters
    ----------
    folder : Path
        Made if need be.
    evaluation : Evaluation
        Its worst images are read once more, to be drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = ReportFiles(
        folder / "images.csv", folder / "summary.json", folder / "index.html"
    )
    table(evaluation).to_csv(files.table, index=False, float_format=DIGITS)
    text = json.dumps(summary(evaluation), indent=2, ensure_ascii=False)
    files.summary.write_text(text + "\n", encoding="utf-8")
    write_page(files.page, evaluation)
    return files


def _line(score: FieldScore, evaluation: Evaluation) -> dict[str, object]:
    values = {column: getattr(score, column) for column in COLUMNS}
    return {
        "image": score.name,
        **values,
        "predicted": score.name not in evaluation.missing,
    }


def _named(quality: Quality) -> dict[str, float | None]:
    return dict(zip(MEASURES, map(_known, quality), strict=True))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
