"""The page's skeleton: every panel, empty. The browser fills it from the API."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from samcell_dashboard.tiles import TILE_LABELS

CHART_HELP = "Growth over time. The same numbers are in the table below the chart."


def page_layout() -> Component:
    """Lay out both pages, the list of runs and a run; the browser shows one."""
    return html.Div(
        id="page",
        className="page",
        children=[
            _status_bar(),
            html.P(id="warning", className="warning", role="alert", hidden=True),
            html.Main(id="runs", hidden=True, children=_runs()),
            html.Main(
                id="run",
                className="panels",
                hidden=True,
                children=[_tiles(), _map(), _growth(), _image(), _account()],
            ),
        ],
    )


def _status_bar() -> Component:
    return html.Header(
        id="bar",
        className="bar",
        children=[
            html.Div(
                className="bar-name",
                children=[
                    html.A("samcell_live", href="/", className="brand"),
                    html.H1(id="run-name"),
                ],
            ),
            html.Span(id="state", className="pill", role="status"),
            html.Span(id="sentence", className="sentence"),
            html.Span(id="freshness", className="muted"),
            html.Span(id="eta", className="muted"),
            html.Button("Dark", id="theme", className="button"),
        ],
    )


def _runs() -> list[Component]:
    return [
        html.H2("Runs"),
        html.P(id="no-runs", className="empty", hidden=True),
        html.Ul(id="run-list", className="run-list"),
    ]


def _tiles() -> Component:
    return html.Section(
        className="tiles",
        **_label("Key figures"),
        children=[
            html.Div(
                id=f"tile-{name}",
                className="tile",
                children=[
                    html.Div(label, className="label"),
                    html.Div("—", className="value"),
                    html.Div(className="detail"),
                    html.Div(className="note"),
                ],
            )
            for name, label in TILE_LABELS.items()
        ],
    )


def _map() -> Component:
    return _card(
        "map-card",
        "Latest confluence",
        html.Div(id="map", className="map"),
        html.Div(
            className="scale",
            children=[
                html.Span("0 %"),
                html.Span(className="scale-bar"),
                html.Span("100 %"),
                html.Span(className="swatch unknown"),
                html.Span("no result yet"),
            ],
        ),
        html.Ul(id="flags", className="flags"),
    )


def _growth() -> Component:
    return _card(
        "growth-card",
        "Growth",
        html.Div(
            id="chart",
            className="chart",
            role="img",
            **_label(CHART_HELP),
        ),
        html.P(id="chart-key", className="key"),
        html.Details(
            id="scan-details",
            children=[
                html.Summary("The numbers as a table"),
                html.Div(className="scroll", children=html.Table(id="scan-table")),
            ],
        ),
        controls=[
            _choice(
                "metric", "Measure", {"confluence": "Confluence", "cell_count": "Cells"}
            ),
            _choice("scale", "Scale", {"linear": "Linear", "log": "Log"}),
        ],
    )


def _image() -> Component:
    return _card(
        "image-card",
        "Image",
        html.Div(id="fields", className="fields", hidden=True),
        html.Div(
            id="viewer",
            className="viewer",
            children=[
                html.Img(id="frame", alt=""),
                html.Img(id="outlines", alt=""),
                html.P(id="no-frame", className="empty"),
            ],
        ),
        html.Div(id="time", className="time"),
        html.P(id="caption", className="caption"),
        controls=[
            html.Button("Outlines", id="toggle-outlines", className="button"),
            html.Button("Latest", id="follow", className="button"),
        ],
    )


def _account() -> Component:
    return _card(
        "account-card",
        "Run",
        html.Dl(id="counts", className="counts"),
        html.Dl(id="facts", className="facts"),
        html.Div(
            id="failures-panel",
            hidden=True,
            children=[
                html.H3("Failed frames"),
                html.Div(className="scroll", children=html.Table(id="failures")),
            ],
        ),
    )


def _label(text: str) -> dict[str, Any]:
    """Name a part of the page for who hears it instead of seeing it."""
    return {"aria-label": text}


def _card(
    name: str, title: str, *children: Component, controls: list[Component] | None = None
) -> Component:
    head = html.Div(
        className="card-head",
        children=[
            html.H2(title, id=f"{name}-title"),
            html.Div(className="controls", children=controls or []),
        ],
    )
    return html.Section(id=name, className="card", children=[head, *children])


def _choice(name: str, label: str, options: dict[str, str]) -> Component:
    """One of several buttons is pressed."""
    return html.Div(
        id=name,
        className="choice",
        role="group",
        **_label(label),
        children=[
            html.Button(text, value=option, className="button")
            for option, text in options.items()
        ],
    )
