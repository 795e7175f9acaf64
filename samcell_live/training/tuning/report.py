"""A search of thresholds as files: every pair, a summary for scripts, a page."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

import samcell_live
from samcell_live.training.tuning.heat_map import CLOSE, NEAR, heat_map

if TYPE_CHECKING:
    from samcell_live.training.thresholds import Thresholds
    from samcell_live.training.tuning.search import Tuning
    from samcell_live.training.tuning.surface import Surface

TEMPLATE = Path(__file__).with_name("page.html")
DIGITS = "%.7g"


class TuningFiles(NamedTuple):
    """What was written."""

    table: Path
    summary: Path
    page: Path


def table(tuning: Tuning) -> pd.DataFrame:
    """One line for each data set and pair; the mean is the last data set of several."""
    return pd.concat([_lines(surface) for surface in shown(tuning)], ignore_index=True)


def summary(tuning: Tuning, model: str) -> dict[str, Any]:
    """The best pairs and how flat the scores are around them, in what JSON knows."""
    best = tuning.together.best
    return {
        "model": model,
        "peak_threshold": best.peak,
        "fill_threshold": best.fill,
        "OP_CSB": best.op_csb,
        "together": _summary(tuning.together),
        "data_sets": [_summary(surface) for surface in tuning.data_sets],
        "package": f"samcell_live {samcell_live.__version__}",
    }


def shown(tuning: Tuning) -> tuple[Surface, ...]:
    """Surfaces of the data sets, and their mean if there are several."""
    several = len(tuning.data_sets) > 1
    return (*tuning.data_sets, tuning.together) if several else tuning.data_sets


def write_tuning(folder: Path, tuning: Tuning, model: str) -> TuningFiles:
    """Write ``thresholds.csv``, ``summary.json`` and ``index.html``.

    Parameters
    ----------
    folder : Path
        Made if need be.
    tuning : Tuning
    model : str
        Name of the model, to be shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = TuningFiles(
        folder / "thresholds.csv", folder / "summary.json", folder / "index.html"
    )
    table(tuning).to_csv(files.table, index=False, float_format=DIGITS)
    text = json.dumps(summary(tuning, model), indent=2, ensure_ascii=False)
    files.summary.write_text(text + "\n", encoding="utf-8")
    files.page.write_text(_page(tuning, model), encoding="utf-8")
    return files


def _lines(surface: Surface) -> pd.DataFrame:
    peaks, fills = np.nonzero(~np.isnan(surface.op_csb))
    return pd.DataFrame(
        {
            "data_set": surface.name,
            "peak": np.take(surface.grid.peaks, peaks),
            "fill": np.take(surface.grid.fills, fills),
            "seg": surface.seg[peaks, fills],
            "det": surface.det[peaks, fills],
            "op_csb": surface.op_csb[peaks, fills],
        }
    )


def _summary(surface: Surface) -> dict[str, Any]:
    return {
        "name": surface.name,
        "best": surface.best._asdict(),
        "own": surface.own._asdict(),
        "plateaus": [surface.plateau(within)._asdict() for within in (CLOSE, NEAR)],
    }


def _page(tuning: Tuning, model: str) -> str:
    best = tuning.together.best
    surfaces = shown(tuning)
    page = Template(TEMPLATE.read_text(encoding="utf-8"))
    return page.substitute(
        title=f"Thresholds of {escape(model)}",
        close=CLOSE,
        near=NEAR,
        rows="\n".join(_row(one, together=one is tuning.together) for one in surfaces),
        cards="\n".join(map(_card, surfaces)),
        model=escape(model),
        package=f"samcell_live {samcell_live.__version__}",
        peak=f"{best.peak:g}",
        fill=f"{best.fill:g}",
    )


def _row(surface: Surface, *, together: bool) -> str:
    best, near = surface.best, surface.plateau(NEAR)
    seg, det = (_at(surface, scores, best) for scores in (surface.seg, surface.det))
    cells = (
        escape(surface.name),
        f"{best.peak:g}",
        f"{best.fill:g}",
        f"{seg:.3f}",
        f"{det:.3f}",
        f"{best.op_csb:.3f}",
        f"{surface.own.op_csb:.3f} ({surface.own.peak:g}, {surface.own.fill:g})",
        "{:g} to {:g}".format(*near.peaks),
        "{:g} to {:g}".format(*near.fills),
        f"{near.share:.1%}",
    )
    kind = ' class="together"' if together else ""
    return f"<tr{kind}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _at(surface: Surface, scores: np.ndarray[Any, Any], pair: Thresholds) -> float:
    return float(
        scores[surface.grid.peaks.index(pair.peak), surface.grid.fills.index(pair.fill)]
    )


def _card(surface: Surface) -> str:
    return f'<div class="card"><h2>{escape(surface.name)}</h2>{heat_map(surface)}</div>'
