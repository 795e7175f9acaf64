"""The charts of an evaluation, as SVG that stands in the page itself.

Colours and letters come from the page's style sheet, so that they follow light and dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from samcell_live.training.evaluation.evaluation import MEASURES, Evaluation, Quality
from samcell_live.training.metrics import IOU_PERCENTS

WIDTH, HEIGHT = 360, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 10, 40
"""Space around the axes, for their letters."""
DOT_RADIUS = 3.0
UNDEFINED = "not defined by this truth"
UNIT_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Scale(NamedTuple):
    """Places a value on an axis."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Pixels of a value."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def across(low: float, high: float) -> Scale:
    """Horizontal axis, to the right."""
    return Scale(low, high, LEFT, WIDTH - RIGHT)


def upwards(low: float, high: float) -> Scale:
    """Vertical axis, up."""
    return Scale(low, high, HEIGHT - BOTTOM, TOP)


def quality_chart(evaluation: Evaluation) -> str:
    """Draw a dot for each image and measure; a bar stands at the median."""
    x, row_height = across(0, 1), (HEIGHT - TOP - BOTTOM) / len(Quality._fields)
    marks = [_x_axis(x, UNIT_TICKS, "score of an image; bar: median")]
    for row, (field, name) in enumerate(zip(Quality._fields, MEASURES, strict=True)):
        middle = TOP + (row + 0.5) * row_height
        marks.append(_text(LEFT - 8, middle + 4, name, "end"))
        known = [
            (value, score.name)
            for score in evaluation.scores
            if not np.isnan(value := getattr(score, field))
        ]
        marks += _dots(known, x, middle, row_height)
    return _svg(marks, "Scores of every image")


def precision_chart(evaluation: Evaluation) -> str:
    """Draw AP of all cells together over the intersection over union that is asked."""
    label = "Average precision over the overlap that is asked"
    values = evaluation.average_precision()
    if np.isnan(values).any():
        return _svg([_undefined()], label)
    x, y = across(0.5, 0.95), upwards(0, 1)
    ious = [percent / 100 for percent in IOU_PERCENTS]
    points = [(x(iou), y(value)) for iou, value in zip(ious, values, strict=True)]
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    marks = [
        _x_axis(x, ious[::2], "intersection over union asked"),
        _y_axis(y, UNIT_TICKS, "AP"),
        f'<polyline class="line" points="{path}"/>',
    ]
    marks += [
        _dot(px, py, f"AP at {iou:.2f}: {value:.3f}")
        for (px, py), iou, value in zip(points, ious, values, strict=True)
    ]
    return _svg(marks, label)


def count_chart(evaluation: Evaluation) -> str:
    """Draw the cells found in each image over the cells there are."""
    known = [one for one in evaluation.scores if not np.isnan(one.true_cell_count)]
    if not known:
        return _svg([_undefined()], "Cells found over cells there are")
    counts = [*(one.true_cell_count for one in known), *(one.cell_count for one in known)]
    ticks = _round_ticks(max([*counts, 1]))
    x, y = across(0, ticks[-1]), upwards(0, ticks[-1])
    marks = [_x_axis(x, ticks, "cells there are"), _y_axis(y, ticks, "cells found")]
    ends = f'x1="{x(0)}" y1="{y(0)}" x2="{x(ticks[-1])}" y2="{y(ticks[-1])}"'
    marks.append(f'<line class="ideal" {ends}/>')
    marks += [
        _dot(
            x(one.true_cell_count),
            y(one.cell_count),
            f"{one.name}: {one.cell_count} of {one.true_cell_count:.0f}",
        )
        for one in known
    ]
    return _svg(marks, "Cells found over cells there are")


def _dots(
    known: Sequence[tuple[float, str]], x: Scale, middle: float, row_height: float
) -> Iterable[str]:
    """Dots beside each other where they would hide each other, and their median."""
    if not known:
        yield _text(LEFT + 6, middle + 4, UNDEFINED, "start")
        return
    taken: dict[int, int] = {}
    most = max(1, int(row_height / 2 / DOT_RADIUS) - 1)
    for value, name in sorted(known):
        place = round(x(value) / (2 * DOT_RADIUS))
        nth = taken[place] = taken.get(place, -1) + 1
        # 0, 1, -1, 2, -2, ... steps from the middle; a full place begins again.
        step = (nth % (2 * most) + 1) // 2 * (-1 if nth % 2 else 1)
        yield _dot(x(value), middle + step * DOT_RADIUS, f"{name}: {value:.3f}")
    median = x(float(np.median([value for value, _ in known])))
    top, bottom = middle - row_height * 0.42, middle + row_height * 0.42
    yield (
        f'<line class="median" x1="{median:.1f}" y1="{top:.1f}" x2="{median:.1f}" '
        f'y2="{bottom:.1f}"/>'
    )


def _dot(x: float, y: float, title: str) -> str:
    return (
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{DOT_RADIUS}">'
        f"<title>{escape(title)}</title></circle>"
    )


def _x_axis(scale: Scale, ticks: Sequence[float], title: str) -> str:
    marks = [
        f'<line class="grid" x1="{scale(tick):.1f}" y1="{TOP}" x2="{scale(tick):.1f}" '
        f'y2="{HEIGHT - BOTTOM}"/>' + _text(scale(tick), HEIGHT - BOTTOM + 15, f"{tick:g}")
        for tick in ticks
    ]
    return "".join([*marks, _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, title)])


def _y_axis(scale: Scale, ticks: Sequence[float], title: str) -> str:
    marks = [
        f'<line class="grid" x1="{LEFT}" y1="{scale(tick):.1f}" x2="{WIDTH - RIGHT}" '
        f'y2="{scale(tick):.1f}"/>' + _text(LEFT - 6, scale(tick) + 4, f"{tick:g}", "end")
        for tick in ticks
    ]
    x, y = 12, (TOP + HEIGHT - BOTTOM) / 2
    turned = f'<g transform="rotate(-90 {x} {y})">{_text(x, y + 4, title)}</g>'
    return "".join([*marks, turned])


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _undefined() -> str:
    return _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT / 2, UNDEFINED)


def _round_ticks(most: float) -> list[float]:
    """From 0, in steps of 1, 2 or 5 times a power of ten, to the first at `most`.

    Examples
    --------
    >>> _round_ticks(37)
    [0, 10, 20, 30, 40]
    """
    power = 10 ** int(np.floor(np.log10(most / 3)))
    steps = [max(1, factor * power) for factor in (1, 2, 5, 10)]
    step = next((step for step in steps if most / step <= 5), steps[-1])
    return [step * count for count in range(int(np.ceil(most / step)) + 1)]


def _svg(marks: Iterable[str], label: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(marks)}</svg>"
    )
