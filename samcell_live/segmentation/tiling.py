"""Images through a network in tiles, without seams and without a pixel left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import torch
from torch import Tensor

Predict: TypeAlias = Callable[[Tensor], Tensor]
"""A network: tiles (n, tile height, tile width) float32 in, maps of the same shape out."""


class Tiling(Protocol):
    """A way to cut images into tiles and to join what a network says of them."""

    def n_tiles(self, shape_px: tuple[int, int]) -> int:
        """Tiles that an image of this height and width costs."""
        ...

    def predict(self, images: Tensor, predict: Predict, batch_tiles: int) -> Tensor:
        """Run a network over images.

        Parameters
        ----------
        images : (n_images, height, width) float32
        predict : callable
        batch_tiles : int
            Tiles for each call, whichever images they come from.

        Returns
        -------
        (n_images, height, width) float32
            On the device of `images`.
        """
        ...


@dataclass(frozen=True, slots=True)
class EvenTiling:
    """Equal tiles that overlap, as few as cover the image, blended as cosines."""

    largest_px: int
    multiple_px: int
    """Sides of tiles are multiples of this."""
    overlap_px: int

    def side_px(self, length_px: int) -> int:
        """Share one axis of an image evenly among the fewest tiles that cover it."""
        n_tiles = self._n_along(length_px)
        even_px = (length_px + (n_tiles - 1) * self.overlap_px) / n_tiles
        least_px = max(even_px, 2 * self.overlap_px)
        return math.ceil(least_px / self.multiple_px) * self.multiple_px

    def n_tiles(self, shape_px: tuple[int, int]) -> int:
        """Tiles that an image of this height and width costs."""
        return math.prod(self._n_along(length_px) for length_px in shape_px)

    def predict(self, images: Tensor, predict: Predict, batch_tiles: int) -> Tensor:
        """Run a network over images: see `predict_in_tiles`."""
        height_px, width_px = images.shape[1:]
        return predict_in_tiles(
            images,
            predict,
            tile_px=(self.side_px(height_px), self.side_px(width_px)),
            overlap_px=self.overlap_px,
            batch_tiles=batch_tiles,
        )

    def _n_along(self, length_px: int) -> int:
        stride_px = self.largest_px - self.overlap_px
        return max(1, math.ceil((length_px - self.overlap_px) / stride_px))


def predict_in_tiles(
    images: Tensor,
    predict: Predict,
    *,
    tile_px: tuple[int, int] = (256, 256),
    overlap_px: int = 32,
    batch_tiles: int = 8,
) -> Tensor:
    """Run a network over images tile by tile and blend what it says.

    Neighbouring tiles share `overlap_px` pixels, over which one fades into the other.
    The weights of a pixel sum to 1 everywhere, the edges of the image included: a
    network that returns its input gives the image back. What is missing to a whole
    number of tiles is reflected at the bottom and the right.

    Parameters
    ----------
    images : (n_images, height, width) float32
        At least one pixel each.
    predict : callable
        Takes (n, tile height, tile width) float32 with n <= `batch_tiles` and returns as
        much. However large the images are, it holds no more tiles than that.
    tile_px : (int, int)
        Height and width of a tile.
    overlap_px : int
        At most half a tile.
    batch_tiles : int
        Tiles for each call, whichever images they come from.

    Returns
    -------
    (n_images, height, width) float32
        On the device of `images`.

    Raises
    ------
    ValueError
        If the overlap is negative or exceeds half a tile.

    Examples
    --------
    >>> image = torch.arange(12.0).reshape(1, 3, 4)
    >>> predict_in_tiles(image, lambda tiles: tiles, tile_px=(2, 2), overlap_px=0).tolist()
    [[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0], [8.0, 9.0, 10.0, 11.0]]]
    """
    if not 0 <= overlap_px <= min(tile_px) // 2:
        raise ValueError(
            f"Tiles of {tile_px} pixels cannot overlap by {overlap_px}; "
            f"the overlap must lie between 0 and {min(tile_px) // 2}, half a tile."
        )
    height_px, width_px = images.shape[1:]
    rows = list(_spans(height_px, tile_px[0], overlap_px, images.device))
    columns = list(_spans(width_px, tile_px[1], overlap_px, images.device))
    blended = torch.zeros_like(images)
    places = product(range(len(images)), rows, columns)
    while batch := list(islice(places, batch_tiles)):
        tiles = torch.stack(
            [images[i][row.source[:, None], column.source] for i, row, column in batch]
        )
        for (i, row, column), answer in zip(batch, predict(tiles), strict=True):
            inside = blended[i, row.target, column.target]
            weighted = answer * row.weights[:, None] * column.weights
            inside += weighted[: inside.shape[0], : inside.shape[1]]
    return blended


class _Span(NamedTuple):
    """The stretch of one axis that a tile covers."""

    source: Tensor
    """(tile_px,) the image's pixel for each of the tile's."""
    target: slice
    """The pixels that the tile answers for."""
    weights: Tensor
    """(tile_px,) float32."""


def _spans(
    length_px: int, tile_px: int, overlap_px: int, device: torch.device
) -> Iterator[_Span]:
    """Cover one axis; only the ends of the image keep their full weight."""
    stride_px = tile_px - overlap_px
    n_tiles = 1 + max(0, -(-(length_px - tile_px) // stride_px))
    covered_px = (n_tiles - 1) * stride_px + tile_px
    reflected = np.pad(np.arange(length_px), (0, covered_px - length_px), mode="reflect")
    sources = torch.from_numpy(reflected).to(device)
    fade_in = _fade_in(overlap_px).to(device)
    for place in range(n_tiles):
        start = place * stride_px
        weights = torch.ones(tile_px, device=device)
        if place > 0:
            weights[:overlap_px] = fade_in
        if place < n_tiles - 1:
            weights[tile_px - overlap_px :] = fade_in.flip(0)
        target = slice(start, min(start + tile_px, length_px))
        yield _Span(sources[start : start + tile_px], target, weights)


def _fade_in(overlap_px: int) -> Tensor:
    """Rise from 0 to 1 as half a cosine, sampled in the middle of each pixel.

    The weights are never 0, and with their own mirror image they sum to 1.
    """
    middles = (torch.arange(overlap_px, dtype=torch.float64) + 0.5) / max(overlap_px, 1)
    return (0.5 * (1 - torch.cos(torch.pi * middles))).float()
