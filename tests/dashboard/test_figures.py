"""The empty growth chart."""

from __future__ import annotations

from typing import get_args

import pytest
from samcell_dashboard.colours import THEMES, ThemeName, cividis, ink_on
from samcell_dashboard.figures import Axis, Metric, Scale, growth_figure

BEHIND = ["low", "high", "singles", "selected", "median"]
BEFORE = ["fit", "forecast", "range", "failed", "labels"]


@pytest.mark.parametrize("metric", get_args(Metric))
@pytest.mark.parametrize("scale", get_args(Scale))
def test_every_line_that_the_browser_fills_is_there_and_empty(
    metric: Metric, scale: Scale
) -> None:
    figure = growth_figure(metric, scale, "hours", "light")

    assert [trace.meta for trace in figure.data] == BEHIND + BEFORE
    assert all(len(trace.x) == 0 for trace in figure.data)


def test_confluence_is_drawn_on_a_fixed_scale_with_its_threshold() -> None:
    figure = growth_figure("confluence", "linear", "hours", "light")

    assert figure.layout.yaxis.range == (0, 102)
    (threshold,) = [s for s in figure.layout.shapes if s.name == "threshold"]
    assert (threshold.y0, threshold.y1) == (80, 80)


def test_counts_have_no_threshold_and_may_be_logarithmic() -> None:
    figure = growth_figure("cell_count", "log", "hours", "light")

    assert figure.layout.yaxis.type == "log"
    assert "threshold" not in {shape.name for shape in figure.layout.shapes}


@pytest.mark.parametrize(
    ("axis", "title"), [("hours", "Hours since start"), ("scan", "Timepoint")]
)
def test_the_axis_says_what_it_counts(axis: Axis, title: str) -> None:
    figure = growth_figure("confluence", "linear", axis, "light")

    assert figure.layout.xaxis.title.text == title


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("theme", "card"), [("light", "#FFFFFF"), ("dark", "#1A2028")])
def test_letters_and_lines_can_be_seen_on_their_card(theme: ThemeName, card: str) -> None:
    colours = THEMES[theme]

    for colour in (colours.text, colours.muted, colours.median, colours.fit):
        assert contrast(colour, card) >= 4.5
    for colour in (colours.forecast, colours.failed):
        assert contrast(colour, card) >= 4.5


@pytest.mark.parametrize("percent", range(0, 101, 5))
def test_letters_can_be_read_on_every_colour_of_the_map(percent: int) -> None:
    fill = cividis(percent / 100)

    assert contrast(ink_on(fill), fill) >= 4.5
