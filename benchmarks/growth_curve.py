"""How well the demo's numbers follow the truth, over a whole growth curve.

    python benchmarks/growth_curve.py [--model starter] [--every 6] [--picture curve.png]

Every well of the demo is photographed from seeding to crowding, segmented, and compared
with the simulation's own count and confluence.
"""

from __future__ import annotations

import argparse
import os
import platform
from pathlib import Path

import numpy as np
import pandas as pd

from samcell_live.culture.confluence import confluence
from samcell_live.culture.growth import DoublingTime, doubling_time
from samcell_live.microscope.demo import CULTURE_HOURS, demo_settings
from samcell_live.microscope.simulated import culture_of
from samcell_live.segmentation.segmenter import Segmenter, load_segmenter
from samcell_live.settings import SegmentationSettings, SimulatedMicroscope
from samcell_live.simulation.culture import Culture
from samcell_live.simulation.rendering import render_field, true_labels
from samcell_live.training.metrics import op_csb


def measure(
    segment: Segmenter, microscope: SimulatedMicroscope, culture: Culture, hours: np.ndarray
) -> pd.DataFrame:
    """Compare one field with the truth, for each well and hour."""
    shape = (microscope.image_height_px, microscope.image_width_px)
    size_um = microscope.pixel_size_um
    rows = []
    for x_um, y_um in wells():
        for hour in hours:
            field = {"shape_px": shape, "pixel_size_um": size_um}
            pixels = render_field(
                culture, x_um, y_um, 0.0, hour, bits=microscope.bits, **field
            )
            truth = true_labels(culture, x_um, y_um, hour, **field)
            found = segment(pixels, size_um).labels
            rows.append(
                {
                    "well": f"{x_um / 1e3:.0f}, {y_um / 1e3:.0f} mm",
                    "hour": hour,
                    "true_count": truth.max(),
                    "count": found.max(),
                    "true_confluence": confluence(truth),
                    "confluence": confluence(found),
                    "op_csb": op_csb(truth, found),
                }
            )
    return pd.DataFrame(rows)


def wells() -> list[tuple[float, float]]:
    """Stage position of every well of the demo, in micrometres."""
    return [
        (well.x or 0.0, well.y or 0.0) for well in demo_settings().sequence.stage_positions
    ]


def report(table: pd.DataFrame, culture: Culture) -> None:
    """Print errors by time, and the doubling time against the truth."""
    table = table.assign(
        count_error=table["count"] / table["true_count"] - 1,
        confluence_error=table["confluence"] - table["true_confluence"],
    )
    columns = ["true_count", "count", "count_error", "true_confluence", "confluence"]
    by_hour = table.groupby("hour")[[*columns, "confluence_error", "op_csb"]].mean()
    print(by_hour.to_string(float_format=lambda value: f"{value:.3f}"))
    print(
        f"all {len(table)} fields: count off by {table['count_error'].abs().mean():.1%} "
        f"(mean {table['count_error'].mean():+.1%}), confluence off by "
        f"{table['confluence_error'].abs().mean() * 100:.1f} points, "
        f"OP_CSB {table['op_csb'].mean():.3f}"
    )
    for (name, group), (x_um, y_um) in zip(
        table.groupby("well", sort=False), wells(), strict=True
    ):
        found = doubling_time(group["hour"], group["count"], group["confluence"])
        true_h = culture.true_doubling_time_h(x_um, y_um)
        said = (
            f"{found.estimate_h:.1f} h ({found.low_h:.1f} to {found.high_h:.1f})"
            if isinstance(found, DoublingTime)
            else found.reason
        )
        print(f"well at {name}: doubling time {said}, true {true_h:.1f} h")


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw found against true, one line a well."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(cols=2, subplot_titles=("Cells in the field", "Confluence"))
    for _, group in table.groupby("well", sort=False):
        for column, name in ((1, "count"), (2, "confluence")):
            for source, dash in ((name, "solid"), (f"true_{name}", "dot")):
                line = {"dash": dash, "width": 1, "color": "#0072B2"}
                trace = go.Scatter(x=group["hour"], y=group[source], line=line)
                figure.add_trace(trace, row=1, col=column)
    figure.update_layout(showlegend=False, template="plotly_white")
    figure.write_html(path)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--every", type=float, default=6.0, help="hours between fields")
    parser.add_argument("--picture", type=Path, help="HTML file for a chart")
    options = parser.parse_args()
    microscope = demo_settings().microscope
    assert isinstance(microscope, SimulatedMicroscope)
    culture = culture_of(microscope)
    hours = np.arange(0.0, CULTURE_HOURS + 1, options.every)
    segment = load_segmenter(SegmentationSettings(model=options.model))
    print(f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print(f"model: {options.model} ({segment.making.weights_sha256[:12]})")
    table = measure(segment, microscope, culture, hours)
    report(table, culture)
    if options.picture:
        draw(table, options.picture)


if __name__ == "__main__":
    main()
