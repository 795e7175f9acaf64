"""One image file: what its header says, and its pixels as grey counts."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from samcell_live.recordings.calibration import tiff_pixel_size_um
from samcell_live.records import Pixels

TIFF = frozenset({".tif", ".tiff"})
PNG = frozenset({".png"})
JPEG = frozenset({".jpg", ".jpeg"})
IMAGE_SUFFIXES = TIFF | PNG | JPEG

_DTYPES: Mapping[str, Literal["uint8", "uint16"]] = {"uint8": "uint8", "uint16": "uint16"}

# What Pillow, tifffile and imagecodecs raise on files that are not what they say.
_DECODING_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    SyntaxError,
    KeyError,
    IndexError,
    EOFError,
    struct.error,
    tifffile.TiffFileError,
    Image.DecompressionBombError,
)


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What is known of an image before its pixels are read."""

    height_px: int
    width_px: int
    dtype: Literal["uint8", "uint16"]
    pixel_size_um: float | None
    """From OME or ImageJ metadata or a plausible TIFF resolution; else None."""


@dataclass(frozen=True, slots=True, eq=False)
class StillImage:
    """One image for itself, of whatever number type."""

    pixels: npt.NDArray[Any]
    """(height, width) bool, integers or floats; never rescaled."""
    pixel_size_um: float | None
    """As in `ImageHeader`."""


def is_image(path: Path) -> bool:
    """Whether the name is that of an image that we read."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def natural_order(path: Path) -> list[tuple[int, str]]:
    """Sort key in which t2 comes before t10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def read_header(path: Path) -> ImageHeader:
    """Read the size and type of an image.

    Raises
    ------
    ValueError
        If the file cannot be read, holds several images, or has pixels other than
        8 or 16 bit.
    """
    return _tiff_header(path) if _is_tiff(path) else _bitmap_header(path)


def read_still(path: Path) -> StillImage:
    """Read an image that need not fit any other, as grey values.

    Colour becomes luminance as in `read_pixels`.

    Raises
    ------
    ValueError
        If the file cannot be read, holds several images, or no real numbers.
    """
    if not _is_tiff(path):
        header = _bitmap_header(path)
        return StillImage(_grey_values(path), header.pixel_size_um)
    plane = _tiff_plane(path)
    if plane.dtype.kind not in "buif":
        raise ValueError(
            f"{path} has {plane.dtype} pixels, but real numbers are needed. Save it as "
            "integers or floats."
        )
    return StillImage(_grey_values(path), plane.pixel_size_um)


def read_pixels(path: Path) -> Pixels:
    """Read an image as grey counts: (height, width) uint8 or uint16, never rescaled.

    Colour becomes luminance (ITU-R 601), which leaves greys stored as colour as they are.

    Raises
    ------
    ValueError
        If the pixels cannot be decoded.
    """
    return _grey_values(path)


def _grey_values(path: Path) -> npt.NDArray[Any]:
    with _decoding(path):
        if _is_tiff(path):
            return _tiff_pixels(path)
        if _png_depth(path) == 16:
            return _luminance(imagecodecs.png_decode(path.read_bytes()))
        with Image.open(path) as image:
            return np.asarray(image.convert("L"))


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Name the file in whatever a decoder raises."""
    try:
        yield
    except _DECODING_ERRORS as error:
        raise ValueError(
            f"{path} cannot be read as an image ({type(error).__name__}: {error}). "
            "Replace the file, or move it out of the folder."
        ) from error


def _is_tiff(path: Path) -> bool:
    return path.suffix.lower() in TIFF


def _bitmap_header(path: Path) -> ImageHeader:
    with _decoding(path), Image.open(path) as image:
        mode, n_images = image.mode, getattr(image, "n_frames", 1)
        width, height = image.size
        depth = _png_depth(path)
    if mode == "CMYK" or n_images > 1:
        raise ValueError(
            f"{path} holds {n_images} images of type {mode}, but one grey or RGB image is "
            "needed. Save it as TIFF or PNG."
        )
    return ImageHeader(height, width, "uint16" if depth == 16 else "uint8", None)


def _png_depth(path: Path) -> int:
    """Bits per sample, which Pillow does not tell for colour; 8 for other formats."""
    with path.open("rb") as file:
        head = file.read(25)
    return head[24] if head.startswith(b"\x89PNG") else 8


class _Plane(NamedTuple):
    """What a TIFF says of its one image."""

    height_px: int
    width_px: int
    dtype: np.dtype[Any]
    pixel_size_um: float | None


def _tiff_plane(path: Path) -> _Plane:
    with _decoding(path), tifffile.TiffFile(path) as file:
        series, *others = file.series
        size = dict(zip(series.axes, series.shape, strict=True))
        pixel_size_um = tiff_pixel_size_um(file)
    if others or series.axes not in {"YX", "YXS", "SYX"}:
        raise ValueError(
            f"{path} holds a stack ({len(others) + 1} x {series.axes} {series.shape}), "
            "but each frame needs a file. Split it, with one image per file (Fiji: File > "
            "Save As > Image Sequence); samcell-live replay takes such a folder as a "
            "time series."
        )
    return _Plane(size["Y"], size["X"], series.dtype, pixel_size_um)


def _tiff_header(path: Path) -> ImageHeader:
    plane = _tiff_plane(path)
    dtype = _DTYPES.get(plane.dtype.name)
    if dtype is None:
        raise ValueError(
            f"{path} has {plane.dtype} pixels, but uint8 or uint16 is needed. Convert all "
            "images with one and the same scale."
        )
    return ImageHeader(plane.height_px, plane.width_px, dtype, plane.pixel_size_um)


def _tiff_pixels(path: Path) -> npt.NDArray[Any]:
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        pixels = series.asarray()
    return _luminance(np.moveaxis(pixels, 0, -1) if series.axes == "SYX" else pixels)


def _luminance(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Grey of (height, width) or (height, width, samples); alpha is left out."""
    if pixels.ndim == 2:
        return np.asarray(pixels)
    if pixels.shape[-1] < 3:
        return np.asarray(pixels[..., 0])
    if pixels.dtype.name not in _DTYPES:
        weights = np.array([19595, 38470, 7471]) / 2**16
        return np.asarray(pixels[..., :3].astype(np.float64) @ weights)
    red, green, blue = np.moveaxis(pixels[..., :3].astype(np.uint32), -1, 0)
    grey = (19595 * red + 38470 * green + 7471 * blue + 2**15) >> 16
    return np.asarray(grey.astype(pixels.dtype))
