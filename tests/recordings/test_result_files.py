"""Result files are complete, calibrated, and read back as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from builders import MAKING
from hypothesis import given
from hypothesis import strategies as st

from samcell_live.recordings.calibration import tiff_pixel_size_um
from samcell_live.recordings.result_files import (
    completed,
    write_labels,
    write_plane,
    write_table,
)
from samcell_live.records import NAN

MANY = 70_000


def numbered(n_cells: int) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Labels of cells of one pixel."""
    return np.arange(300 * 300, dtype=np.int32).reshape(300, 300) % (n_cells + 1)


@pytest.mark.parametrize(("n_cells", "dtype"), [(65_535, "uint16"), (65_536, "uint32")])
def test_labels_take_the_smallest_type_that_holds_them(
    tmp_path: Path, n_cells: int, dtype: str
) -> None:
    write_labels(tmp_path / "a.tif", numbered(n_cells), NAN, MAKING)
    read = tifffile.imread(tmp_path / "a.tif")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, numbered(n_cells))


@pytest.mark.parametrize("n_cells", [3, MANY])
@pytest.mark.parametrize("pixel_size_um", [0.325, 0.87, None])
def test_a_label_image_knows_its_pixel_size_and_its_making(
    tmp_path: Path, n_cells: int, pixel_size_um: float | None
) -> None:
    write_labels(tmp_path / "a.tif", numbered(n_cells), pixel_size_um or NAN, MAKING)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert tiff_pixel_size_um(file) == pytest.approx(pixel_size_um)
        software = file.pages.first.tags["Software"].value
    assert software == "samcell_live 0, model starter abc123"


def test_a_distance_map_is_kept_as_it_is(tmp_path: Path) -> None:
    distance = np.random.default_rng(1).random((3, 50), dtype=np.float32)
    write_plane(tmp_path / "a.tif", distance, 0.5, MAKING)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), distance)


@given(value=st.floats(1e-3, 1e9) | st.just(NAN))
def test_numbers_in_a_table_keep_seven_digits_and_unknown_ones_stay_unknown(
    tmp_path_factory: pytest.TempPathFactory, value: float
) -> None:
    path = tmp_path_factory.mktemp("table") / "a.csv"
    write_table(path, pd.DataFrame({"label": [1], "area": [value]}))
    assert pd.read_csv(path)["area"][0] == pytest.approx(value, rel=1e-6, nan_ok=True)


def test_what_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("old")

    def broken_off() -> None:
        with completed(target) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert target.read_text() == "old"


def test_a_file_that_another_program_holds_does_not_lose_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(self: Path, target: Path) -> Path:
        raise PermissionError("used by another process")

    monkeypatch.setattr(Path, "replace", held)
    with (
        pytest.raises(OSError, match=r"cells\.xlsx cannot be replaced"),
        completed(tmp_path / "cells.xlsx") as partial,
    ):
        partial.write_text("new")
    assert (tmp_path / "cells.xlsx.partial").read_text() == "new"
