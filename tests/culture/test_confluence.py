from __future__ import annotations

import math

import numpy as np
import pytest

from samcell_live.culture.cells import cell_table
from samcell_live.culture.confluence import confluence, measured_only, summarise
from samcell_live.records import NAN, SeriesRow


def test_a_summary_counts_covers_and_measures() -> None:
    labels = np.zeros((100, 200), dtype=np.int32)
    labels[:10, :10], labels[20:30, :30], labels[50:60, :20] = 1, 2, 3
    pixels = labels.astype(np.uint16) + 500
    cells = cell_table(labels, pixels, 2.0)
    row = summarise(labels, pixels, cells, pixel_size_um=2.0, inference_ms=12.5)
    assert row.confluence == confluence(labels) == 600 / 20_000
    assert row.cell_count == 3
    assert row.density_per_mm2 == pytest.approx(3 / 0.08)
    assert (row.area_mean_um2, row.area_median_um2) == (800, 800)
    assert row.area_sd_um2 == pytest.approx(400)
    assert row.inference_ms == 12.5
    assert row.saturated == 0


def test_an_empty_field_counts_none_and_knows_no_areas() -> None:
    labels = np.zeros((40, 40), dtype=np.int32)
    pixels = np.full((40, 40), 300, dtype=np.uint16)
    row = summarise(labels, pixels, cell_table(labels, pixels, 1.0), pixel_size_um=1.0)
    assert (row.confluence, row.cell_count, row.density_per_mm2) == (0, 0, 0)
    assert row.cell_likeness == 0
    assert math.isnan(row.area_mean_um2)
    assert math.isnan(row.area_median_um2)
    assert math.isnan(row.area_sd_um2)


def test_without_calibration_density_is_unknown_and_count_is_not() -> None:
    labels = np.ones((20, 20), dtype=np.int32)
    pixels = labels.astype(np.uint8)
    row = summarise(labels, pixels, cell_table(labels, pixels, NAN), pixel_size_um=NAN)
    assert row.cell_count == 1
    assert math.isnan(row.density_per_mm2)
    assert math.isnan(row.area_mean_um2)


def test_a_frame_of_another_channel_has_quality_and_no_cells() -> None:
    row = measured_only(np.full((30, 30), 4095, dtype=np.uint16), bits=12)
    assert (row.saturated, row.illumination) == (1, 1)
    known = {name for name in SeriesRow._fields if not math.isnan(getattr(row, name))}
    assert known == {"focus", "illumination", "saturated"}
