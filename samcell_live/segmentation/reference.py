"""What the package ``samcell`` 1.2.0 does with an image, number for number.

That package is SAMCell's authors' own. Whoever compares with results made by it needs
its tiles, its contrast and its markers, oddities included. For anything else
`tiling.predict_in_tiles` and the regions of `watershed.split_cells` are better.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, product
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from samcell_live.records import DistanceMap, Labels, Mask

TILE_PX = 256
BORDER_PX = 32
"""Mirrored at the image's end, and the width over which a tile fades."""
STRIDE_PX = TILE_PX - 2 * BORDER_PX
LEAST_WEIGHT = 1e-4
"""Pixels of no more weight than this take another pixel's value."""

GreyBytes: TypeAlias = npt.NDArray[np.uint8]
"""(height, width), 0 to 255."""

TileArrays: TypeAlias = npt.NDArray[np.float32]
"""(n, 256, 256)."""


def predict_as_reference(
    image: GreyBytes,
    predict: Callable[[TileArrays], TileArrays],
    *,
    batch_tiles: int = 8,
) -> DistanceMap:
    """Run a network over an image as ``samcell`` 1.2.0 does.

    Tiles begin every 192 pixels and each has its own contrast. They fade towards their
    edges, and their sum is divided by that of the weights. Oddities that the numbers
    depend on are kept: the stride, though 224 is meant; the contrast, which differs
    between neighbours; row 0 and column 0, which no tile gives weight; tiles that the
    mirrored border is too narrow for (see Notes). One is not: an image below 256 pixels
    is mirrored up to that, where the package enlarges it, so that its cells change size.

    Parameters
    ----------
    image : (height, width) uint8
        At least one pixel.
    predict : callable
        Takes (n, 256, 256) float32 of grey values 0 to 255, n <= `batch_tiles`, and
        returns as many distance maps. Where a tile ends early, at its bottom or its
        right, the rest is NaN; `ReferenceNetwork` knows what to do with that.
    batch_tiles : int
        Tiles for each call.

    Returns
    -------
    (height, width) float32

    Raises
    ------
    ValueError
        If the image is not grey, is empty or is not of 8 bits.

    Notes
    -----
    If a side is 1 to 31 pixels more than a multiple of 192, the last tile but one
    reaches beyond the border and is cut. The package pads it after enlarging it, and
    squeezes the map of the padded tile into the cut one: up to 15 pixels askew.

    Peak memory is about 24 bytes a pixel and `batch_tiles` tiles.
    """
    if image.ndim != 2 or image.size == 0 or image.dtype != np.uint8:
        raise ValueError(
            "The reference reads one grey image of 8 bits, but this one has shape "
            f"{image.shape} and type {image.dtype}. Give one channel, scaled to uint8."
        )
    height, width = image.shape
    rows, columns = (tile_starts(side) for side in image.shape)
    covered = rows[-1] + TILE_PX, columns[-1] + TILE_PX
    mirrored = np.pad(
        image, ((0, covered[0] - height), (0, covered[1] - width)), "symmetric"
    )
    blend = _Blend(covered[0] - BORDER_PX, covered[1] - BORDER_PX)
    places = product(rows, columns)
    while batch := list(islice(places, batch_tiles)):
        tiles = [
            _stretch_contrast(mirrored[row : row + TILE_PX, column : column + TILE_PX])
            for row, column in batch
        ]
        answers = predict(np.stack([_fill_up(tile) for tile in tiles]))
        for place, tile, answer in zip(batch, tiles, answers, strict=True):
            blend.add(place, cv2.resize(answer, tile.shape[::-1]))
    return blend.finished()[:height, :width]


def tile_starts(length_px: int) -> list[int]:
    """Where tiles begin along one axis; the last ends with the mirrored border.

    An axis of less than a tile is taken as mirrored up to one.

    Examples
    --------
    >>> tile_starts(256), tile_starts(520)
    ([0, 32], [0, 192, 296])
    """
    whole_px = max(length_px, TILE_PX)
    n_tiles = -(-whole_px // STRIDE_PX)
    regular = [place * STRIDE_PX for place in range(n_tiles - 1)]
    return [*regular, whole_px + BORDER_PX - TILE_PX]


def centroid_markers(above_peak: Mask) -> Labels:
    """Mark the centroid of each region, as ``samcell`` 1.2.0 does.

    A region is what an outer contour encloses. One whose contour has fewer than three
    corners (a pixel or a straight line) gets no marker, and nor does one in another's
    hole; of those with the same centroid one marker remains. A centroid may lie outside
    its region.

    Parameters
    ----------
    above_peak : (height, width) bool
        Where the distance map exceeds the peak threshold.

    Returns
    -------
    (height, width) int32
        0, and at each centroid a number from 1..n of its own.

    Examples
    --------
    >>> square = np.pad(np.ones((3, 3), dtype=bool), 1)
    >>> np.argwhere(centroid_markers(square)).tolist()
    [[2, 2]]
    """
    contours, _ = cv2.findContours(
        above_peak.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    centroids = (_centroid(np.asarray(line)) for line in contours if len(line) >= 3)
    markers = np.zeros(above_peak.shape, dtype=np.int32)
    for number, place in enumerate(dict.fromkeys(centroids), start=1):
        markers[place] = number
    return markers


class _Blend:
    """The weighted sum of tiles, and of their weights."""

    def __init__(self, height: int, width: int) -> None:
        self._sum = np.zeros((height, width), dtype=np.float32)
        self._weights = np.zeros_like(self._sum)
        # Half a cosine at each edge, which begins at 0.
        rise = 0.5 * (1 - np.cos(np.pi * np.arange(BORDER_PX) / BORDER_PX))
        profile = np.concatenate([rise, np.ones(STRIDE_PX), rise[::-1]])
        self._tile_weights = np.outer(profile, profile).astype(np.float32)

    def add(self, start: tuple[int, int], answer: DistanceMap) -> None:
        """Add what of a tile's map lies inside the image."""
        place = np.s_[start[0] : start[0] + TILE_PX, start[1] : start[1] + TILE_PX]
        height, width = self._sum[place].shape
        weights = self._tile_weights[:height, :width]
        self._sum[place] += answer[:height, :width] * weights
        self._weights[place] += weights

    def finished(self) -> DistanceMap:
        """Divide by the weights; pixels without any take another pixel's value."""
        known = self._weights > LEAST_WEIGHT
        np.divide(self._sum, self._weights, out=self._sum, where=known)
        _fill_edges(self._sum, known)
        return self._sum


def _fill_edges(blended: DistanceMap, known: Mask) -> None:
    """Give each pixel without a value another's, in place.

    The package means the nearest pixel that has a value. It finds that pixel's number
    among those that have one, but looks the number up among all pixels.
    """
    _, numbers = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    values, places = blended.reshape(-1), numbers.reshape(-1) - 1
    for unknown in np.flatnonzero(~known):  # in order: later ones may read earlier ones
        values[unknown] = values[places[unknown]]


def _stretch_contrast(tile: GreyBytes) -> GreyBytes:
    """Equalise a tile locally (CLAHE), then let it span 0 to 255."""
    equalised = cv2.createCLAHE(clipLimit=1, tileGridSize=(8, 8)).apply(tile)
    spanning = cv2.normalize(equalised, np.empty_like(tile), 0, 255, cv2.NORM_MINMAX)
    return np.asarray(spanning, dtype=np.uint8)


def _fill_up(tile: GreyBytes) -> TileArrays:
    """Complete a tile that ends early with NaN."""
    complete = np.full((TILE_PX, TILE_PX), np.nan, dtype=np.float32)
    complete[: tile.shape[0], : tile.shape[1]] = tile
    return complete


def _centroid(contour: npt.NDArray[np.integer | np.floating]) -> tuple[int, int]:
    """Row and column, cut to whole pixels; of a contour without area, its corners' mean."""
    moments = cv2.moments(contour)
    if moments["m00"] == 0:
        column, row = contour[:, 0].mean(axis=0)
        return int(row), int(column)
    return int(moments["m01"] / moments["m00"]), int(moments["m10"] / moments["m00"])
