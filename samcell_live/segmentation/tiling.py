"""An image through a network in tiles, without seams and without a pixel left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from samcell_live.records import DistanceMap
    from samcell_live.segmentation.preprocess import GreyImage

Tiles: TypeAlias = npt.NDArray[np.float32]
"""(n_tiles, tile height, tile width)."""

Predict: TypeAlias = Callable[[Tiles], Tiles]
"""A network: tiles in, maps of the same shape out."""


def predict_in_tiles(
    image: GreyImage,
    predict: Predict,
    *,
    tile_px: tuple[int, int] = (256, 256),
    overlap_px: int = 32,
    batch_tiles: int = 8,
) -> DistanceMap:
    """Run a network over an image tile by tile and blend what it says.

    Neighbouring tiles share `overlap_px` pixels, over which one fades into the other.
    The weights of a pixel sum to 1 everywhere, the edges of the image included: a
    network that returns its input gives the image back. What is missing to a whole
    number of tiles is reflected at the bottom and the right, and cut off in the end.

    Parameters
    ----------
    image : (height, width) float32
        At least one pixel.
    predict : callable
        Takes (n, tile height, tile width) float32 with n <= `batch_tiles` and returns as
        much. However large the image is, it holds no more tiles than that.
    tile_px : (int, int)
        Height and width of a tile.
    overlap_px : int
        At most half a tile.
    batch_tiles : int
        Tiles for each call.

    Returns
    -------
    (height, width) float32

    Raises
    ------
    ValueError
        If the overlap is negative or exceeds half a tile.

    Examples
    --------
    >>> image = np.arange(12, dtype=np.float32).reshape(3, 4)
    >>> predict_in_tiles(image, lambda tiles: tiles, tile_px=(2, 2), overlap_px=0).tolist()
    [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0], [8.0, 9.0, 10.0, 11.0]]
    """
    if not 0 <= overlap_px <= min(tile_px) // 2:
        raise ValueError(
            f"Tiles of {tile_px} pixels cannot overlap by {overlap_px}; "
            f"the overlap must lie between 0 and {min(tile_px) // 2}, half a tile."
        )
    height, width = image.shape
    rows = list(_spans(height, tile_px[0], overlap_px))
    columns = list(_spans(width, tile_px[1], overlap_px))
    missing = ((0, rows[-1].stop - height), (0, columns[-1].stop - width))
    padded = np.pad(image, missing, mode="reflect")
    blended = np.zeros_like(padded)
    places = iter(product(rows, columns))
    while batch := list(islice(places, batch_tiles)):
        tiles = np.stack([padded[row.pixels, column.pixels] for row, column in batch])
        for (row, column), answer in zip(batch, predict(tiles), strict=True):
            weighted = answer * row.weights[:, None] * column.weights
            blended[row.pixels, column.pixels] += weighted
    return blended[:height, :width]


class _Span(NamedTuple):
    """The stretch of one axis that a tile covers, and its weight there."""

    start: int
    stop: int
    weights: npt.NDArray[np.float32]

    @property
    def pixels(self) -> slice:
        return slice(self.start, self.stop)


def _spans(length_px: int, tile_px: int, overlap_px: int) -> Iterator[_Span]:
    """Cover one axis; only the ends of the image keep their full weight."""
    stride_px = tile_px - overlap_px
    n_tiles = 1 + max(0, -(-(length_px - tile_px) // stride_px))
    fade_in = _fade_in(overlap_px)
    for place in range(n_tiles):
        weights = np.ones(tile_px, dtype=np.float32)
        if place > 0:
            weights[:overlap_px] = fade_in
        if place < n_tiles - 1:
            weights[tile_px - overlap_px :] = fade_in[::-1]
        yield _Span(place * stride_px, place * stride_px + tile_px, weights)


def _fade_in(overlap_px: int) -> npt.NDArray[np.float32]:
    """Rise from 0 to 1 as half a cosine, sampled in the middle of each pixel.

    The weights are never 0, and with their own mirror image they sum to 1.
    """
    middles = (np.arange(overlap_px) + 0.5) / max(overlap_px, 1)
    return np.asarray(0.5 * (1 - np.cos(np.pi * middles)), dtype=np.float32)
