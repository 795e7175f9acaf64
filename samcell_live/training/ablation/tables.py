"""The studies' tables in Markdown, the paper's numbers beside ours."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pandas as pd

import samcell_live
from samcell_live.training.ablation.paper import ALL, DOI, SCORES, THRESHOLDS, Study

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from samcell_live.training.ablation.run import Ablation, ScoredRow
    from samcell_live.training.tuning.search import Tuning
    from samcell_live.training.tuning.surface import Surface

UNKNOWN = "-"
"""Where the paper has no number."""
TABLES, CELLS = "tables.md", "scores.csv"


def write_tables(folder: Path, ablation: Ablation) -> Path:
    """Write ``tables.md`` and ``scores.csv``; give the former."""
    folder.mkdir(parents=True, exist_ok=True)
    scores(ablation).to_csv(folder / CELLS, index=False, float_format="%.7g")
    path = folder / TABLES
    path.write_text(markdown(ablation), encoding="utf-8")
    return path


def scores(ablation: Ablation) -> pd.DataFrame:
    """One line for each score of each study; what the paper does not give is NaN."""
    columns = ("study", "row", "data_set", "seg", "det", "op_csb", "paper_op_csb")
    lines = [
        (row.study, row.label, name, *quality, SCORES.get((row.study, row.label, name)))
        for row in ablation.rows
        for name, quality in zip(ablation.judged_on, row.qualities, strict=True)
    ]
    return pd.DataFrame(lines, columns=list(columns))


def plain(ablation: Ablation) -> dict[str, Any]:
    """All scores and thresholds in what JSON knows; what is unknown is None."""
    tuning = ablation.thresholds
    surfaces = (*tuning.data_sets, tuning.together) if tuning else ()
    return {
        "scores": json.loads(scores(ablation).to_json(orient="records")),
        "thresholds": [
            {"data_set": surface.name, **surface.best._asdict()} for surface in surfaces
        ],
    }


def markdown(ablation: Ablation) -> str:
    """Write all tables, OP_CSB of all cells of each data set, the higher the better."""
    parts = [
        _study(study, list(rows), ablation.judged_on)
        for study, rows in groupby(ablation.rows, key=lambda row: row.study)
    ]
    if ablation.thresholds is not None:
        parts.append(_thresholds(ablation.thresholds))
    parts.append(
        f"OP_CSB, by samcell_live {samcell_live.__version__}; *paper*: doi {DOI}.\n"
    )
    return "\n".join(parts)


def _study(study: Study, rows: Sequence[ScoredRow], judged_on: tuple[str, ...]) -> str:
    heading = [study.value.lower()]
    for name in judged_on:
        heading += [name, "paper"]
    lines = []
    for row in rows:
        line = [row.label]
        for name, quality in zip(judged_on, row.qualities, strict=True):
            paper = SCORES.get((study, row.label, name))
            line += [f"{quality.op_csb:.3f}", UNKNOWN if paper is None else f"{paper:.3f}"]
        lines.append(line)
    return _table(study, heading, lines)


def _thresholds(tuning: Tuning) -> str:
    named = [(surface.name, surface) for surface in tuning.data_sets]
    if len(named) > 1:
        named.append((ALL, tuning.together))
    heading = ["data set", "peak", "fill", "OP_CSB"]
    heading += ["peak (paper)", "fill (paper)", "OP_CSB (paper)"]
    lines = [[name, *_pair(name, surface)] for name, surface in named]
    return _table(Study.THRESHOLDS, heading, lines)


def _pair(name: str, surface: Surface) -> Iterator[str]:
    for found in (surface.best, THRESHOLDS.get(name)):
        if found is None:
            yield from [UNKNOWN] * 3
        else:
            yield from (f"{found.peak:.2f}", f"{found.fill:.2f}", f"{found.op_csb:.3f}")


def _table(study: Study, heading: list[str], lines: list[list[str]]) -> str:
    rule = ["---"] * len(heading)
    rows = [f"| {' | '.join(cells)} |" for cells in (heading, rule, *lines)]
    return "\n".join([f"## {study.value}", "", *rows, ""])
