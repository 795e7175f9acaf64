from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from samcell_live.recordings.image_file import read_header

PIXELS = np.zeros((8, 8), dtype=np.uint16)


def told(path: Path, **options: Any) -> float | None:
    """Pixel size that a TIFF written with these options tells."""
    tifffile.imwrite(path / "a.tif", PIXELS, **options)
    return read_header(path / "a.tif").pixel_size_um


@pytest.mark.parametrize(
    ("size", "unit", "expected_um"),
    [(0.65, "µm", 0.65), (650, "nm", 0.65), (0.65, "um", None), (1.0, "pixel", None)],
)
def test_ome_sizes_count_in_known_units(
    tmp_path: Path, size: float, unit: str, expected_um: float | None
) -> None:
    sizes = {"PhysicalSizeX": size, "PhysicalSizeY": size}
    units = {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit}
    if unit == "um":  # no unit at all means um in OME
        units, expected_um = {}, size
    found = told(tmp_path, ome=True, metadata={"axes": "YX"} | sizes | units)
    assert found == (None if expected_um is None else pytest.approx(expected_um))


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_imagej_calibration_counts(tmp_path: Path, unit: str) -> None:
    found = told(
        tmp_path, imagej=True, resolution=(1 / 0.5, 1 / 0.5), metadata={"unit": unit}
    )
    assert found == pytest.approx(0.5)


def test_a_resolution_per_centimetre_counts_if_a_microscope_could_have_it(
    tmp_path: Path,
) -> None:
    per_cm = {"resolutionunit": "CENTIMETER"}
    assert told(tmp_path, resolution=(20_000, 20_000), **per_cm) == pytest.approx(0.5)
    assert told(tmp_path, resolution=(20, 20), **per_cm) is None


def test_dots_per_inch_of_a_screen_are_no_calibration(tmp_path: Path) -> None:
    assert told(tmp_path, resolution=(72, 72), resolutionunit="INCH") is None


@pytest.mark.parametrize("imagej", [False, True])
def test_files_that_tell_nothing_are_uncalibrated(tmp_path: Path, imagej: bool) -> None:
    assert told(tmp_path, imagej=imagej) is None


def test_oblong_pixels_are_not_trusted(tmp_path: Path) -> None:
    found = told(tmp_path, resolution=(20_000, 10_000), resolutionunit="CENTIMETER")
    assert found is None
