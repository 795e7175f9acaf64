"""An evaluation as one page: numbers, charts, and the worst images first."""

from __future__ import annotations

import base64
import io
import logging
import math
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import numpy.typing as npt

import samcell_live
from samcell_live.training.evaluation.charts import (
    count_chart,
    precision_chart,
    quality_chart,
)
from samcell_live.training.evaluation.comparison import draw_comparison
from samcell_live.training.evaluation.evaluation import (
    MEASURES,
    Evaluation,
    Quality,
    few,
)
from samcell_live.training.scores import FieldScore

logger = logging.getLogger(__name__)

TEMPLATE = Path(__file__).with_name("page.html")
SHOWN = 6
"""Images that are drawn."""
ABOUT = (
    "Overlap of a true cell with the one that covers more than half of it; missed: 0",
    "1 minus the price of adding missed, deleting false and splitting merged cells",
    "Mean of SEG and DET",
    "Cells found (overlap of at least 0.5) over all cells found, missed and false",
    "Mean of AP50, AP55, ... AP95",
    "2 cells found over 2 found + missed + false, at an overlap of 0.5",
)
"""What each of `MEASURES` is, for people."""
ABOUT_COUNT = "Of an image: how far off, either way. All: too many (+) or too few (-)"
ABOUT_CONFLUENCE = (
    "Of an image: points of the field, either way. All: too much or too little"
)


class Column(NamedTuple):
    """A column of the table of images."""

    heading: str
    field: str
    form: str


COLUMNS = (
    *(
        Column(name, field, ".3f")
        for name, field in zip(MEASURES, Quality._fields, strict=True)
    ),
    Column("true cells", "true_cell_count", ".0f"),
    Column("cells", "cell_count", ".0f"),
    Column("count error", "count_error", "+.1%"),
    Column("true confluence", "true_confluence", ".1%"),
    Column("confluence", "confluence", ".1%"),
)


def write_page(path: Path, evaluation: Evaluation) -> None:
    """Write the page as one file that needs no other."""
    predictions, truth = evaluation.predictions.title, evaluation.truth.title
    worst_first = evaluation.worst_first()
    page = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{predictions} against {truth}"),
        predictions=escape(predictions),
        truth=escape(truth),
        package=f"samcell_live {samcell_live.__version__}",
        warnings="\n".join(_warnings(evaluation)),
        headline="\n".join(_headline(evaluation)),
        quality_chart=quality_chart(evaluation),
        precision_chart=precision_chart(evaluation),
        count_chart=count_chart(evaluation),
        worst="\n".join(_card(score, evaluation) for score in worst_first[:SHOWN]),
        columns="".join(
            _heading(name) for name in ["image", *(c.heading for c in COLUMNS)]
        ),
        rows="\n".join(map(_row, worst_first)),
    )
    path.write_text(page, encoding="utf-8")


def _warnings(evaluation: Evaluation) -> Iterable[str]:
    if not evaluation.truth.outlines_all:
        yield _warning(
            "This truth outlines some cells only, as the Cell Tracking Challenge does. "
            "Cells found elsewhere need not be false: AP, F1 and confluence are unknown."
        )
    if evaluation.missing:
        yield _warning(
            f"{len(evaluation.missing)} images have no prediction and count as if nothing "
            f"had been found in them: {few(evaluation.missing)}"
        )
    if evaluation.left_out:
        yield _warning(
            f"{len(evaluation.left_out)} predictions have no truth and are left out: "
            f"{few(evaluation.left_out)}"
        )


def _warning(text: str) -> str:
    return f'<p class="warning">{escape(text)}</p>'


def _headline(evaluation: Evaluation) -> Iterable[str]:
    rows = zip(MEASURES, evaluation.pooled(), evaluation.mean(), ABOUT, strict=True)
    for name, pooled, mean, about in rows:
        yield _measure(name, _say(pooled, ".3f"), _say(mean, ".3f"), about)
    yield _measure(
        "count error",
        _say(evaluation.count_bias, "+.1%"),
        _say(evaluation.count_error, ".1%"),
        ABOUT_COUNT,
    )
    yield _measure(
        "confluence error",
        _say(evaluation.confluence_bias, "+.1%"),
        _say(evaluation.confluence_error, ".1%"),
        ABOUT_CONFLUENCE,
    )


def _measure(name: str, pooled: str, mean: str, about: str) -> str:
    return (
        f"<tr><td>{name}</td><td>{pooled}</td><td>{mean}</td>"
        f'<td class="about">{about}</td></tr>'
    )


def _card(score: FieldScore, evaluation: Evaluation) -> str:
    reference, result = evaluation.read_labels(score.name)
    drawn = draw_comparison(_picture(score.name, evaluation), reference, result)
    file = io.BytesIO()
    drawn.save(file, format="PNG", optimize=True)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    name = escape(score.name)
    qualities = ", ".join(
        f"{column.heading} {_say(getattr(score, column.field), column.form)}"
        for column in COLUMNS[:4]
    )
    counts = f"{score.cell_count} cells of {_say(score.true_cell_count, '.0f')}"
    return (
        f'<div class="card"><h3>{name}</h3>'
        f'<img alt="Outlines of true and found cells of {name}" '
        f'src="data:image/png;base64,{data}"><p>{qualities}; {counts}</p></div>'
    )


def _picture(name: str, evaluation: Evaluation) -> npt.NDArray[Any] | None:
    by_name = {**evaluation.truth.pictures, **evaluation.predictions.pictures}
    read = by_name.get(name)
    if read is None:
        return None
    try:
        return read()
    except (ValueError, OSError) as error:  # the outlines tell most without it
        logger.warning("The image %s is not shown: %s", name, error)
        return None


def _heading(name: str) -> str:
    return f'<th scope="col"><button type="button">{name}</button></th>'


def _row(score: FieldScore) -> str:
    name = escape(score.name)
    cells = [f'<td data-value="{name}">{name}</td>']
    for column in COLUMNS:
        value = getattr(score, column.field)
        key = "" if math.isnan(value) else repr(float(value))
        cells.append(f'<td data-value="{key}">{_say(value, column.form)}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _say(value: float, form: str) -> str:
    return "n/a" if math.isnan(value) else format(value, form)
