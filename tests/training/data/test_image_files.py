"""Image and label files come as they are stored, or are refused with their name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from labelled_folders import two_cells
from PIL import Image

from samcell_live.training.data.image_files import read_labels, read_pixels


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_stay_sixteen_bits(tmp_path: Path, suffix: str) -> None:
    pixels = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    path = tmp_path / f"zellen_µ{suffix}"
    encoded, data = cv2.imencode(suffix, pixels)
    assert encoded
    path.write_bytes(data.tobytes())

    np.testing.assert_array_equal(read_pixels(path), pixels)


def test_channels_of_a_tiff_come_last(tmp_path: Path) -> None:
    planes = np.arange(3 * 20 * 24, dtype=np.uint16).reshape(3, 20, 24)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")

    np.testing.assert_array_equal(read_pixels(path), np.moveaxis(planes, 0, -1))


def test_a_stack_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((7, 20, 24), np.uint16), photometric="minisblack")

    with pytest.raises(ValueError, match=r"a\.tif holds a stack.*\(7, 20, 24\)"):
        read_pixels(path)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"II*\0 and nothing more")

    with pytest.raises(ValueError, match=name):
        read_pixels(tmp_path / name)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int32", "float32"])
def test_labels_of_any_type_are_the_same_labels(tmp_path: Path, dtype: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", two_cells().astype(dtype))

    truth = read_labels(tmp_path / "a.tif")

    np.testing.assert_array_equal(truth.labels, two_cells())
    assert truth.labels.dtype == np.int32
    assert not truth.ignored.any()


def test_labels_in_a_palette_are_its_indices(tmp_path: Path) -> None:
    image = Image.fromarray(two_cells().astype(np.uint8), mode="P")
    image.putpalette([value for n in range(256) for value in (255 - n, n // 2, n)])
    image.save(tmp_path / "a.png")

    np.testing.assert_array_equal(read_labels(tmp_path / "a.png").labels, two_cells())


def test_labels_stored_as_grey_colours_are_labels(tmp_path: Path) -> None:
    labels = two_cells().astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([labels] * 3))

    np.testing.assert_array_equal(read_labels(tmp_path / "a.png").labels, two_cells())


def test_a_picture_of_labels_is_refused(tmp_path: Path) -> None:
    labels = two_cells().astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([labels, 90 * labels, labels]))

    with pytest.raises(ValueError, match=r"a\.png is in colour, \(52, 70, 3\)"):
        read_labels(tmp_path / "a.png")


@pytest.mark.parametrize(
    "plane",
    [
        np.full((4, 5), -1, np.int16),
        np.full((4, 5), 0.5, np.float32),
        np.full((4, 5), np.nan, np.float32),
        np.full((4, 5), 2**31, np.uint32),
    ],
)
def test_numbers_that_are_no_labels_are_refused(
    tmp_path: Path, plane: npt.NDArray[Any]
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", plane)

    with pytest.raises(ValueError, match=r"a\.tif holds .* labels are whole numbers"):
        read_labels(tmp_path / "a.tif")
