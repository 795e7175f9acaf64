"""Image and label files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from samcell_live.records import Labels
from samcell_live.training.data.labelled import Truth

TIFF = frozenset({".tif", ".tiff"})
IMAGE_SUFFIXES = TIFF | {".png", ".jpg", ".jpeg", ".bmp"}

_MOST_LABELS = np.iinfo(np.int32).max


def is_image(path: Path) -> bool:
    """Whether this is a file that is named as an image and not hidden."""
    named = path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    return named and path.is_file()


def file_version(*paths: Path) -> str:
    """Size and time of change of files, as one text; a missing file has neither."""
    stats = [path.stat() if path.is_file() else None for path in paths]
    return " ".join(
        f"{stat.st_size}@{stat.st_mtime_ns}" if stat else "missing" for stat in stats
    )


def read_pixels(path: Path) -> npt.NDArray[Any]:
    """Read one image as it is stored, at its own bit depth.

    Returns
    -------
    (height, width) or (height, width, 3 or 4)
        Colours are red, green, blue and, where there is one, opacity.

    Raises
    ------
    ValueError
        If the file is missing, damaged or holds a stack.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing or no image; an image is expected there.")
    return _read_tiff(path) if path.suffix.lower() in TIFF else _read_bitmap(path)


def read_labels(path: Path) -> Truth:
    """Read a label image: a number for each cell, 0 for background.

    Whole numbers stored as floats, greys stored as colour and the indices of a palette
    are taken as the numbers that they are.

    Raises
    ------
    ValueError
        If the file cannot be read, or holds colours or numbers that are no labels.
    """
    plane = _palette_indices(path)
    if plane is None:
        plane = read_pixels(path)
    if plane.ndim == 3:
        plane = _one_of_equal_channels(path, plane)
    return Truth.complete(_as_labels(path, plane), _highest_possible(plane.dtype))


def _read_bitmap(path: Path) -> npt.NDArray[Any]:
    # Not imread, which knows no Unicode names on Windows.
    data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if pixels is None:
        raise ValueError(f"{path} is missing or no image; an image is expected there.")
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        order = [2, 1, 0, 3][: pixels.shape[2]]  # OpenCV puts blue first
        return np.ascontiguousarray(pixels[..., order])
    return np.asarray(pixels).reshape(pixels.shape[:2])


def _read_tiff(path: Path) -> npt.NDArray[Any]:
    # tifffile and its decoders raise errors of many kinds on damaged files.
    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            pixels, axes = series.asarray(), series.axes
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as TIFF ({type(error).__name__}: {error}). "
            "Save it anew, or take it out."
        ) from error
    if axes not in {"YX", "YXS", "SYX"}:
        raise ValueError(
            f"{path} holds a stack, {axes} {pixels.shape}; one plane is needed. "
            "Save each plane as a file of its own."
        )
    return np.asarray(np.moveaxis(pixels, 0, -1) if axes == "SYX" else pixels)


def _palette_indices(path: Path) -> npt.NDArray[Any] | None:
    """Pixels of a PNG that points into a table of colours; None for other images."""
    if path.suffix.lower() != ".png" or not path.is_file():
        return None
    try:
        with Image.open(path) as image:
            return np.asarray(image) if image.mode == "P" else None
    except (OSError, SyntaxError, Image.DecompressionBombError):  # for read_pixels to say
        return None


def _one_of_equal_channels(path: Path, plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    colours = plane[..., :3]
    if np.any(colours != colours[..., :1]):
        raise ValueError(
            f"{path} is in colour, {plane.shape}; a mask has one number per pixel. "
            "Save the labels themselves, as 16-bit PNG or TIFF, not a picture of them."
        )
    return np.asarray(colours[..., 0])


def _as_labels(path: Path, plane: npt.NDArray[Any]) -> Labels:
    low, high = plane.min(initial=0), plane.max(initial=0)
    whole = plane.dtype.kind in "bui" or bool(np.all(plane == np.rint(plane)))
    if not whole or low < 0 or high > _MOST_LABELS:
        raise ValueError(
            f"{path} holds {plane.dtype} from {low} to {high}; labels are whole numbers "
            f"from 0, which is background, to {_MOST_LABELS}."
        )
    return np.ascontiguousarray(plane, dtype=np.int32)


def _highest_possible(dtype: np.dtype[Any]) -> int | None:
    return int(np.iinfo(dtype).max) if dtype.kind in "ui" else None
