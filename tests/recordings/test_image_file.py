from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from samcell_live.recordings.image_file import read_header, read_pixels, read_still
from samcell_live.records import Pixels

RNG = np.random.default_rng(5)
GREY_8 = RNG.integers(0, 256, (9, 14)).astype(np.uint8)
GREY_16 = RNG.integers(0, 65536, (9, 14)).astype(np.uint16)


def as_colour(grey: Pixels) -> npt.NDArray[Any]:
    return np.stack([grey] * 3, axis=-1)


@pytest.mark.parametrize("grey", [GREY_8, GREY_16], ids=["8 bit", "16 bit"])
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib"])
def test_tiff_counts_come_through_unchanged(
    tmp_path: Path, grey: Pixels, colour: bool, compression: str | None
) -> None:
    path = tmp_path / "a.tif"
    image = as_colour(grey) if colour else grey
    photometric = "rgb" if colour else "minisblack"
    tifffile.imwrite(path, image, compression=compression, photometric=photometric)
    header = read_header(path)
    assert (header.height_px, header.width_px, header.dtype) == (9, 14, grey.dtype.name)
    pixels = read_pixels(path)
    assert pixels.dtype == grey.dtype
    np.testing.assert_array_equal(pixels, grey)


@pytest.mark.parametrize("grey", [GREY_8, GREY_16], ids=["8 bit", "16 bit"])
@pytest.mark.parametrize("colour", [False, True])
def test_png_counts_come_through_unchanged(
    tmp_path: Path, grey: Pixels, colour: bool
) -> None:
    path = tmp_path / "a.PNG"
    path.write_bytes(imagecodecs.png_encode(as_colour(grey) if colour else grey))
    header = read_header(path)
    assert (header.height_px, header.width_px, header.dtype) == (9, 14, grey.dtype.name)
    np.testing.assert_array_equal(read_pixels(path), grey)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_greys_may_be_stored_as_colour(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(np.full((16, 24), 77, np.uint8)).convert(mode).save(path)
    assert read_header(path).dtype == "uint8"
    np.testing.assert_allclose(read_pixels(path), np.full((16, 24), 77), atol=1)


def test_planar_colour_and_alpha_become_grey(tmp_path: Path) -> None:
    planar = tmp_path / "planar.tif"
    tifffile.imwrite(
        planar, np.stack([GREY_8] * 3), photometric="rgb", planarconfig="separate"
    )
    np.testing.assert_array_equal(read_pixels(planar), GREY_8)
    with_alpha = tmp_path / "alpha.png"
    half = np.full_like(GREY_16, 32768)
    with_alpha.write_bytes(imagecodecs.png_encode(np.stack([GREY_16, half], axis=-1)))
    np.testing.assert_array_equal(read_pixels(with_alpha), GREY_16)


def test_green_is_brighter_than_blue(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    colours = np.zeros((1, 3, 3), dtype=np.uint16)
    colours[0, [0, 1, 2], [0, 1, 2]] = 1000
    tifffile.imwrite(path, colours, photometric="rgb")
    assert read_pixels(path).tolist() == [[299, 587, 114]]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
@pytest.mark.parametrize("content", [b"", b"not an image at all" * 10])
def test_a_file_that_is_no_image_is_named(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} cannot be read as an image"):
        read_header(tmp_path / name)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a16.png", "a16.tif"])
def test_a_file_cut_short_is_an_error_and_not_a_dark_image(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    grey = np.tile(GREY_16 if "16" in name else GREY_8, (20, 20))
    imagecodecs.imwrite(path, grey)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=rf"{name} cannot be read as an image"):
        read_pixels(path)


@pytest.mark.parametrize("dtype", ["float32", "int16", "uint32"])
def test_other_pixel_types_are_refused(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY_8.astype(dtype))
    with pytest.raises(ValueError, match=rf"has {dtype} pixels, but uint8 or uint16"):
        read_header(path)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint32", "float32"])
def test_an_image_by_itself_may_have_any_real_pixels(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "a.tif"
    values = (GREY_8 // 9).astype(dtype)
    tifffile.imwrite(path, values, resolution=(2e4, 2e4), resolutionunit="CENTIMETER")
    still = read_still(path)
    np.testing.assert_array_equal(still.pixels, values)
    assert still.pixels.dtype == dtype
    assert still.pixel_size_um == pytest.approx(0.5)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_colours_of_any_type_become_grey(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, as_colour(GREY_16).astype(dtype), photometric="rgb")
    np.testing.assert_allclose(read_still(path).pixels, GREY_16, rtol=1e-6)


def test_an_image_of_complex_numbers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY_8.astype("complex64"))
    with pytest.raises(ValueError, match="complex64 pixels, but real numbers"):
        read_still(path)


def test_a_stack_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.stack([GREY_8] * 4), photometric="minisblack")
    for read in (read_header, read_still):
        with pytest.raises(ValueError, match=r"holds a stack .*\(4, 9, 14\)"):
            read(path)


def test_an_animation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    frames = [Image.fromarray(GREY_8), Image.fromarray(GREY_8[::-1])]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match=r"holds 2 images"):
        read_header(path)
