"""The scores of all pairs of thresholds as a picture: SVG that stands in a page."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
from skimage.measure import find_contours

from samcell_live.training.evaluation.charts import Scale

if TYPE_CHECKING:
    from samcell_live.training.thresholds import Thresholds
    from samcell_live.training.tuning.surface import Surface

CLOSE, NEAR = 0.005, 0.01
"""A line is drawn around what loses no more OP_CSB than this."""

WIDTH, HEIGHT = 440, 380
LEFT, TOP, SIDE = 52, 26, 310
"""Where the square of pairs stands."""
BAR_LEFT, BAR_WIDTH = LEFT + SIDE + 16, 12
N_COLOURS = 64
THRESHOLD_TICKS = (0.1, 0.3, 0.5, 0.7, 0.9)
N_SCORE_TICKS = 5


def heat_map(surface: Surface) -> str:
    """Draw OP_CSB over peak (upwards) and fill (to the right).

    The best pair is a cross, the model's own a ring. Black lines enclose what is at most
    `CLOSE` and `NEAR` below the best. Nothing is drawn where the fill is above the peak.
    """
    peaks, fills = surface.grid.peaks, surface.grid.fills
    x = Scale(*_bounds(fills), LEFT, LEFT + SIDE)
    y = Scale(*_bounds(peaks), TOP + SIDE, TOP)
    label = f"OP_CSB of {surface.name} over peak and fill threshold"
    marks = [
        _picture(surface.op_csb[::-1], LEFT, TOP, SIDE, SIDE),
        *_contours(surface, x, y),
        *_axes(surface, x, y),
        *_colour_bar(surface.op_csb),
        _cross(surface.best, x, y),
        _ring(surface.own, x, y),
    ]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(marks)}</svg>"
    )


def _bounds(values: tuple[float, ...]) -> tuple[float, float]:
    """Outer edges of the squares around the values."""
    step = values[1] - values[0] if len(values) > 1 else 0.02
    return values[0] - step / 2, values[-1] + step / 2


def _picture(
    scores: npt.NDArray[np.float64], left: float, top: float, width: float, height: float
) -> str:
    """Colour scores, violet the lowest and yellow the highest; NaN is left clear."""
    known = ~np.isnan(scores)
    low, high = np.nanmin(scores), np.nanmax(scores)
    unit = np.where(known, (scores - low) / max(high - low, 1e-9), 0)
    levels = np.asarray(np.rint(unit * 255), dtype=np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)
    opacity = np.asarray(known * 255, dtype=np.uint8)
    _, png = cv2.imencode(".png", np.dstack([colours, opacity]))
    data = base64.b64encode(png.tobytes()).decode("ascii")
    return (
        f'<image x="{left}" y="{top}" width="{width}" height="{height}" '
        'preserveAspectRatio="none" style="image-rendering: pixelated" '
        f'href="data:image/png;base64,{data}"/>'
    )


def _contours(surface: Surface, x: Scale, y: Scale) -> Iterator[str]:
    scores, best = surface.op_csb, surface.best.op_csb
    if min(scores.shape) < 2:
        return
    peaks, fills = surface.grid.peaks, surface.grid.fills
    for within, name in ((CLOSE, "close"), (NEAR, "near")):
        for line in find_contours(scores, best - within):
            rows, columns = line.T
            across = np.interp(columns, np.arange(len(fills)), fills)
            upwards = np.interp(rows, np.arange(len(peaks)), peaks)
            points = " ".join(
                f"{x(fill):.1f},{y(peak):.1f}"
                for fill, peak in zip(across, upwards, strict=True)
            )
            yield f'<polyline class="contour {name}" points="{points}"/>'


def _axes(surface: Surface, x: Scale, y: Scale) -> Iterator[str]:
    bottom = TOP + SIDE
    for value in _ticks(surface.grid.fills):
        yield f'<line class="tick" x1="{x(value):.1f}" y1="{bottom}" '
        yield f'x2="{x(value):.1f}" y2="{bottom + 4}"/>'
        yield _text(x(value), bottom + 17, f"{value:g}", "middle")
    for value in _ticks(surface.grid.peaks):
        yield f'<line class="tick" x1="{LEFT - 4}" y1="{y(value):.1f}" '
        yield f'x2="{LEFT}" y2="{y(value):.1f}"/>'
        yield _text(LEFT - 7, y(value) + 4, f"{value:g}", "end")
    yield _text(LEFT + SIDE / 2, bottom + 36, "fill threshold", "middle")
    middle = TOP + SIDE / 2
    yield f'<g transform="rotate(-90 10 {middle})">'
    yield _text(10, middle + 4, "peak threshold", "middle") + "</g>"


def _ticks(values: tuple[float, ...]) -> Sequence[float]:
    """Round thresholds among those tried; their ends where there are none."""
    ticks = [tick for tick in THRESHOLD_TICKS if values[0] <= tick <= values[-1]]
    return ticks if len(ticks) > 1 else (values[0], values[-1])


def _colour_bar(scores: npt.NDArray[np.float64]) -> Iterator[str]:
    low, high = float(np.nanmin(scores)), float(np.nanmax(scores))
    colours = np.linspace(1, 0, N_COLOURS)[:, None]
    yield _picture(colours, BAR_LEFT, TOP, BAR_WIDTH, SIDE)
    scale = Scale(0, 1, TOP + SIDE, TOP)
    for share in np.linspace(0, 1, N_SCORE_TICKS):
        value = low + share * (high - low)
        yield _text(BAR_LEFT + BAR_WIDTH + 5, scale(share) + 4, f"{value:.3f}", "start")
    yield _text(BAR_LEFT, TOP - 13, "OP_CSB", "start")


def _cross(best: Thresholds, x: Scale, y: Scale) -> str:
    across, up = x(best.fill), y(best.peak)
    arms = f"M{across - 7:.1f} {up:.1f}h14M{across:.1f} {up - 7:.1f}v14"
    title = f"best: peak {best.peak:g}, fill {best.fill:g}, OP_CSB {best.op_csb:.3f}"
    return f'<path class="best" d="{arms}"><title>{title}</title></path>'


def _ring(own: Thresholds, x: Scale, y: Scale) -> str:
    if not (x.low <= own.fill <= x.high and y.low <= own.peak <= y.high):
        return ""
    title = f"model's own: peak {own.peak:g}, fill {own.fill:g}, OP_CSB {own.op_csb:.3f}"
    return (
        f'<circle class="own" cx="{x(own.fill):.1f}" cy="{y(own.peak):.1f}" r="6">'
        f"<title>{title}</title></circle>"
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
