"""Label images and pictures in folders: which there are, what they belong to, reading."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from samcell_live.training.metrics import LabelImage

TIFF = frozenset({".tif", ".tiff"})
LABEL_SUFFIXES = TIFF | {".png"}
PICTURE_SUFFIXES = LABEL_SUFFIXES | {".jpg", ".jpeg"}
OURS = "_labels"
LABEL_ENDINGS = (OURS, "_label", "_cp_masks", "_masks", "_mask")
"""What follows an image's name in that of its label image, the longest first."""
NO_LABELS = ("_overlay", "_distance", "_flows", "_outlines")
"""Ends of other files that segmenting leaves behind."""
CHALLENGE_NAME = re.compile(r"(man_seg|man_track|mask)_?(\d+)")
"""Label images of the Cell Tracking Challenge, by number."""
NUMBER = re.compile(r"t?(\d+)")

T = TypeVar("T")

Role: TypeAlias = Literal["predictions", "truth"]


def image_name(path: Path) -> str:
    """Name of the image that a file belongs to, however the file says it.

    Examples
    --------
    >>> [image_name(Path(name)) for name in ("A1_labels.tif", "A1_mask.png", "A1.tif")]
    ['A1', 'A1', 'A1']
    >>> [image_name(Path(name)) for name in ("man_seg007.tif", "mask007.tif", "t007.tif")]
    ['007', '007', '007']
    """
    challenge = CHALLENGE_NAME.fullmatch(path.stem)
    stem = challenge[2] if challenge else path.stem
    for ending in LABEL_ENDINGS:
        if stem.endswith(ending) and stem != ending:
            stem = stem.removesuffix(ending)
            break
    number = NUMBER.fullmatch(stem)
    return number[1] if number else stem


def named_alike(found: Mapping[str, T], names: Collection[str]) -> dict[str, T]:
    """Rename what differs from one of `names` in nothing but leading zeros.

    Examples
    --------
    >>> named_alike({"7": "a", "A1": "b"}, ["007", "A1", "A2"])
    {'007': 'a', 'A1': 'b'}
    """
    like = {_without_zeros(name): name for name in names}
    return {
        name if name in names else like.get(_without_zeros(name), name): one
        for name, one in found.items()
    }


def find_labels(folder: Path, role: Role) -> dict[str, Path]:
    """Label images directly in a folder, by the name of their image.

    If any file is named like a label image, those that are not are pictures. If a folder
    has label images of ours (``_labels``) and others, as where a user segmented beside the
    truth, ours are the predictions and the others the truth.

    Raises
    ------
    ValueError
        If there are none, or several for one image.
    """
    files = [path for path in _files(folder, LABEL_SUFFIXES) if not _is_by_product(path)]
    labelled = [path for path in files if _is_named_as_labels(path)] or files
    if not labelled:
        raise ValueError(
            f"{folder} has no label images ({', '.join(sorted(LABEL_SUFFIXES))}). Give the "
            "folder that they lie in, a run store, or --model to segment images."
        )
    wants_ours = role == "predictions"
    chosen = [path for path in labelled if path.stem.endswith(OURS) == wants_ours]
    return _single(_by_name(chosen or labelled))


def find_pictures(folder: Path) -> dict[str, Path]:
    """Images of cells directly in a folder, by name: all that are no label images.

    Raises
    ------
    ValueError
        If two have the same name.
    """
    pictures = [
        path
        for path in _files(folder, PICTURE_SUFFIXES)
        if not _is_named_as_labels(path) and not _is_by_product(path)
    ]
    return _single(_by_name(pictures))


def read_labels(path: Path) -> LabelImage:
    """Read a label image: (height, width), 0 on background.

    Raises
    ------
    ValueError
        If it cannot be read, is no single grey image of whole numbers, or does not tell
        cells apart.
    """
    labels = read_plane(path)
    if labels.ndim != 2:
        raise ValueError(
            f"{path} has the shape {labels.shape}, but a label image has one number for "
            "each pixel. Save colours as labels, and each plane of a stack as a file."
        )
    if labels.dtype.kind == "f":
        labels = _as_integers(labels, path)
    if labels.dtype.kind == "b" or _is_white_on_black(labels):
        raise ValueError(
            f"{path} tells cells from background ({labels.dtype}, up to {labels.max()}), "
            "but not from each other. Give each cell a number of its own."
        )
    return labels


def read_plane(path: Path) -> npt.NDArray[Any]:
    """Read the numbers that a TIFF, PNG or JPEG holds; of a palette, the indices.

    Raises
    ------
    ValueError
        If the file cannot be read.
    """
    try:
        if path.suffix.lower() in TIFF:
            return np.asarray(tifffile.imread(path)).squeeze()
        with Image.open(path) as image:
            return np.asarray(image)
    except (OSError, ValueError, SyntaxError, tifffile.TiffFileError) as error:
        raise ValueError(
            f"{path} cannot be read as an image ({type(error).__name__}: {error}). Replace "
            "the file, or move it out of the folder."
        ) from error


def _without_zeros(name: str) -> str:
    return str(int(name)) if name.isdecimal() else name


def _files(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    found = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in suffixes and not path.name.startswith(".")
    ]
    return sorted(found, key=_natural_order)


def _natural_order(path: Path) -> list[str | int]:
    parts = re.split(r"(\d+)", path.stem)
    return [int(part) if part.isdecimal() else part for part in parts]


def _is_named_as_labels(path: Path) -> bool:
    return path.stem.endswith(LABEL_ENDINGS) or bool(CHALLENGE_NAME.fullmatch(path.stem))


def _is_by_product(path: Path) -> bool:
    return path.stem.endswith(NO_LABELS)


def _as_integers(labels: npt.NDArray[np.floating], path: Path) -> LabelImage:
    """Read numbers that a program kept as floats, as ImageJ does in 32 bits."""
    if not np.array_equal(labels, np.rint(labels)):
        raise ValueError(
            f"{path} has {labels.dtype} pixels with fractions, so it is no label image. "
            "Move it out of the folder, or save the labels as integers."
        )
    return labels.astype(np.int64)


def _is_white_on_black(labels: LabelImage) -> bool:
    """Whether all cells have the largest number of the type, as in a mask."""
    white = np.iinfo(labels.dtype).max
    return bool(labels.max(initial=0) == white and np.isin(labels, (0, white)).all())


def _by_name(paths: Iterable[Path]) -> dict[str, list[Path]]:
    named = defaultdict(list)
    for path in paths:
        named[image_name(path)].append(path)
    return dict(named)


def _single(candidates: dict[str, list[Path]]) -> dict[str, Path]:
    for name, paths in candidates.items():
        if len(paths) > 1:
            raise ValueError(
                f"{paths[0]} and {paths[1].name} are both for the image {name}. Leave one "
                "of them in the folder."
            )
    return {name: path for name, (path,) in candidates.items()}
