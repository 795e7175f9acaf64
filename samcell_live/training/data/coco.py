"""Objects of a COCO file as label images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from skimage.draw import polygon

from samcell_live.records import Mask
from samcell_live.training.data.labelled import Truth

Polygon: TypeAlias = npt.NDArray[np.float64]
"""(2 * n_corners,) x and y in turn, in px; (0, 0) is the image's upper left corner."""

RunLengths: TypeAlias = dict[str, Any]
"""COCO's own form: ``size`` (height, width) and ``counts``, numbers or compressed text."""

CORNERS_WITH_AREA = 3


class CocoObject(NamedTuple):
    """One annotation."""

    image_id: int
    shape: tuple[Polygon, ...] | RunLengths
    crowd: bool
    """A region of several objects that nobody told apart."""


def draw_objects(objects: Sequence[CocoObject], height_px: int, width_px: int) -> Truth:
    """Draw the objects of one image.

    Objects may overlap, label images cannot: larger ones are drawn first, so that a small
    one on a large one is kept. Crowds are not drawn; the truth says nothing there.

    Parameters
    ----------
    objects : sequence of CocoObject
    height_px, width_px : int
        Of the image.

    Raises
    ------
    ValueError
        If run lengths do not fit the image.

    Notes
    -----
    A pixel belongs to a polygon if its centre lies inside. COCO's own program rounds
    corners to a fifth of a pixel before, so one pixel of an outline in about 25 differs.
    """
    stamps = [_cut(one, height_px, width_px) for one in objects]
    areas = np.array([np.count_nonzero(stamp.pixels) for stamp in stamps], dtype=np.int64)
    labels = np.zeros((height_px, width_px), dtype=np.int32)
    n_claims = np.zeros((height_px, width_px), dtype=np.int32)
    ignored = np.zeros((height_px, width_px), dtype=np.bool_)
    n_cells = 0
    for index in np.argsort(-areas, kind="stable"):
        box, pixels = stamps[index]
        if objects[index].crowd:
            ignored[box] |= pixels
            continue
        n_cells += 1
        labels[box][pixels] = n_cells
        n_claims[box] += pixels
    return Truth(
        labels,
        ignored & (labels == 0),
        n_lost=n_cells - int(np.count_nonzero(np.unique(labels))),
        n_overlapping_px=int(np.count_nonzero(n_claims > 1)),
    )


class _Stamp(NamedTuple):
    """Pixels of one object in the smallest box around them."""

    box: tuple[slice, slice]
    pixels: Mask


def _cut(one: CocoObject, height_px: int, width_px: int) -> _Stamp:
    if isinstance(one.shape, dict):
        pixels = decode_runs(one.shape, height_px, width_px)
    else:
        pixels = _fill(one.shape, height_px, width_px)
    box = _box(pixels)
    return _Stamp(box, pixels[box].copy())  # so that the rest can be forgotten


def _box(pixels: Mask) -> tuple[slice, slice]:
    rows, columns = (np.flatnonzero(pixels.any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return slice(0), slice(0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _fill(parts: Sequence[Polygon], height_px: int, width_px: int) -> Mask:
    """Pixels whose centres lie in any of some polygons."""
    pixels = np.zeros((height_px, width_px), dtype=np.bool_)
    for part in parts:
        corners = part[: part.size // 2 * 2].reshape(-1, 2) - 0.5
        if len(corners) >= CORNERS_WITH_AREA:
            pixels[polygon(corners[:, 1], corners[:, 0], pixels.shape)] = True
    return pixels


def decode_runs(runs: RunLengths, height_px: int, width_px: int) -> Mask:
    """Decode run lengths: how many pixels are outside, inside, outside, ... by columns.

    Raises
    ------
    ValueError
        If they are not those of an image of this size.
    """
    counts = runs["counts"]
    if not isinstance(counts, list):
        counts = _decompress(counts if isinstance(counts, bytes) else counts.encode())
    size = [height_px, width_px]
    if list(runs["size"]) != size or sum(counts) != height_px * width_px or min(counts) < 0:
        raise ValueError(
            f"These run lengths are {sum(counts)} pixels for an image of {runs['size']}, "
            f"but their image is {size} (height, width)."
        )
    inside = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return np.ascontiguousarray(inside.reshape(width_px, height_px).T)


def _decompress(text: bytes) -> list[int]:
    """Read run lengths from COCO's text.

    Each character holds 5 bits of a number, lowest first, a bit that says that more
    follow, and 48 to make it printable. Numbers are signed; from the fourth on they are
    differences to the number before the last.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = character - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return counts
