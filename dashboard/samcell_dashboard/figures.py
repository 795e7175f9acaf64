"""The growth chart, empty: axes, styles and a trace for each kind of line.

The browser fills the traces by their ``meta`` from the API's rows, so that a live update
carries a few points and not the whole figure.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import plotly.graph_objects as go

from samcell_dashboard.colours import THEMES, Theme, ThemeName
from samcell_dashboard.growth import FULL

Metric: TypeAlias = Literal["confluence", "cell_count"]
Scale: TypeAlias = Literal["linear", "log"]
Axis: TypeAlias = Literal["hours", "scan"]

LOG_TICKS = [digit * 10**power for power in range(-1, 6) for digit in (1, 2, 5)]
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'

Y_TITLES: dict[Metric, str] = {
    "confluence": "Confluence (%)",
    "cell_count": "Cells per field",
}
X_TITLES: dict[Axis, str] = {"hours": "Hours since start", "scan": "Timepoint"}


def growth_figure(metric: Metric, scale: Scale, axis: Axis, theme: ThemeName) -> go.Figure:
    """Draw the axes of the growth chart and the styles of its lines.

    Parameters
    ----------
    metric : {"confluence", "cell_count"}
        What grows.
    scale : {"linear", "log"}
        Of the vertical axis.
    axis : {"hours", "scan"}
        Culture time, or the timepoint's number in a recording without times.
    theme : {"light", "dark"}
        Colours.
    """
    colours = THEMES[theme]
    figure = go.Figure(data=_traces(metric, axis, colours))
    lines = {"gridcolor": colours.grid, "zeroline": False, "automargin": True}
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 13, "color": colours.muted},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        margin={"l": 48, "r": 60, "t": 10, "b": 42},
        showlegend=False,
        hovermode="x unified",
        hoverlabel={"namelength": -1},
        dragmode=False,
        uirevision=f"{metric} {scale} {axis}",
        xaxis={"title": _title(X_TITLES[axis]), "rangemode": "tozero"} | lines,
        yaxis=_y_axis(metric, scale) | lines,
        # Failed frames are marked at the foot of the chart, whatever its scale.
        yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        shapes=_shapes(metric, colours),
    )
    return figure


def _y_axis(metric: Metric, scale: Scale) -> dict[str, object]:
    title = _title(Y_TITLES[metric])
    if scale == "log":
        return {"type": "log", "title": title, "tickvals": LOG_TICKS}
    if metric == "confluence":
        return {"type": "linear", "title": title, "range": [0, 102], "dtick": 20}
    return {"type": "linear", "title": title, "rangemode": "tozero"}


def _title(text: str) -> dict[str, object]:
    return {"text": text, "standoff": 8, "font": {"size": 13}}


def _traces(metric: Metric, axis: Axis, colours: Theme) -> list[go.Scatter]:
    unit = " %" if metric == "confluence" else " cells"
    value = f"%{{y:.1f}}{unit}<extra>%{{fullData.name}}</extra>"
    quiet = {"hoverinfo": "skip", "x": [], "y": []}
    line = {"x": [], "y": [], "mode": "lines", "connectgaps": False}
    return [
        go.Scatter(meta="low", mode="lines", line={"width": 0}, **quiet),
        go.Scatter(
            meta="high",
            mode="lines",
            line={"width": 0},
            fill="tonexty",
            fillcolor=colours.band,
            **quiet,
        ),
        go.Scatter(
            meta="singles",
            mode="lines",
            line={"width": 1, "color": colours.single},
            connectgaps=False,
            **quiet,
        ),
        go.Scatter(
            meta="selected",
            name="Selected",
            line={"width": 1.5, "color": colours.text},
            hovertemplate=value,
            **line,
        ),
        go.Scatter(
            meta="median",
            name="Median",
            line={"width": 2.5, "color": colours.median},
            hovertemplate=value,
            **line,
        ),
        go.Scatter(
            meta="fit",
            mode="lines",
            line={"width": 2, "color": colours.fit, "dash": "dash"},
            **quiet,
        ),
        go.Scatter(
            meta="forecast",
            mode="lines",
            line={"width": 2, "color": colours.forecast, "dash": "dash"},
            **quiet,
        ),
        go.Scatter(
            meta="range",
            mode="lines",
            line={"width": 9, "color": colours.forecast},
            opacity=0.28,
            **quiet,
        ),
        go.Scatter(
            meta="failed",
            name="Failed",
            x=[],
            y=[],
            mode="markers",
            yaxis="y2",
            cliponaxis=False,
            marker={
                "symbol": "x-thin",
                "size": 9,
                "line": {"width": 2, "color": colours.failed},
            },
            hovertemplate="%{text}<extra>failed</extra>",
        ),
        go.Scatter(
            meta="labels",
            mode="text",
            textposition="bottom right",
            cliponaxis=False,
            textfont={"size": 12, "color": colours.text},
            **quiet,
        ),
    ]


def _shapes(metric: Metric, colours: Theme) -> list[go.layout.Shape]:
    """Lines that the browser places: the image's time, the fit's window, the threshold."""
    tall = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": 0, "x1": 0}
    shapes = [
        go.layout.Shape(
            name="shown", line={"width": 1, "color": colours.text}, visible=False, **tall
        ),
        go.layout.Shape(
            name="window",
            type="rect",
            yref="paper",
            y0=0,
            y1=1,
            x0=0,
            x1=0,
            layer="below",
            line={"width": 0},
            fillcolor=colours.fit,
            opacity=0.07,
            visible=False,
        ),
    ]
    if metric == "confluence":
        shapes.append(
            go.layout.Shape(
                name="threshold",
                type="line",
                xref="paper",
                x0=0,
                x1=1,
                y0=100 * FULL,
                y1=100 * FULL,
                line={"width": 1, "dash": "dot", "color": colours.muted},
            )
        )
    return shapes
