"""SAMCell's network behind the image processor that ``samcell`` 1.2.0 calls.

That is Hugging Face's ``SamImageProcessor`` as it was then: Pillow's bilinear resize of
8-bit tiles, whole numbers in and out. The default preset interpolates in floating point,
which changes the distance map by up to 0.017.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from samcell_live.segmentation.network import SamcellNetwork
from samcell_live.segmentation.reference import (
    TileArrays,
    predict_as_reference,
    tile_starts,
)

ENLARGEMENT = 4
"""Pixels of SAM's image along one pixel of a tile."""


@dataclass(frozen=True, slots=True)
class ReferenceTiling:
    """The tiles of `predict_as_reference` for images that are tensors."""

    def n_tiles(self, shape_px: tuple[int, int]) -> int:
        """Tiles that an image of this height and width costs."""
        return math.prod(len(tile_starts(length_px)) for length_px in shape_px)

    def predict(
        self, images: Tensor, predict: Callable[[Tensor], Tensor], batch_tiles: int
    ) -> Tensor:
        """Run a network over images, one after the other.

        Parameters
        ----------
        images : (n_images, height, width) float32
            Whole numbers from 0 to 255.
        predict : callable
            From tiles (n, 256, 256) float32, 0 to 255 or NaN, to maps of that shape.
        batch_tiles : int
            Tiles for each call.

        Returns
        -------
        (n_images, height, width) float32
            On the device of `images`.
        """

        def predict_arrays(tiles: TileArrays) -> TileArrays:
            return np.asarray(predict(torch.from_numpy(tiles)).cpu().numpy())

        maps = [
            predict_as_reference(image, predict_arrays, batch_tiles=batch_tiles)
            for image in images.cpu().numpy().astype(np.uint8)
        ]
        return torch.from_numpy(np.stack(maps)).to(images.device)


class ReferenceNetwork(nn.Module):
    """From 8-bit grey values to logits, enlarged on the network's own device.

    Parameters
    ----------
    network : SamcellNetwork
    """

    def __init__(self, network: SamcellNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, tiles: Tensor) -> Tensor:
        """Predict the distance maps of tiles, before their sigmoid.

        Parameters
        ----------
        tiles : (n, 1, side, side) float32
            Whole numbers from 0 to 255. Rows at the bottom and columns at the right that
            are NaN do not exist: what is there is enlarged until its longer side fills
            the network's image, and the rest of that image is SAM's mean colour.

        Returns
        -------
        (n, 1, side, side) float32
            Logits.
        """
        enlarged = enlarge_as_pillow(tiles)
        cut = tiles.isnan().flatten(1).any(dim=1)
        for index in cut.nonzero().flatten().tolist():
            enlarged[index, 0] = _enlarge_cut_tile(tiles[index, 0])
        return self.network.predict_enlarged(enlarged / 255)


def enlarge_as_pillow(tiles: Tensor) -> Tensor:
    """Enlarge 8-bit images 4 times, bit for bit as Pillow's bilinear resize does.

    Parameters
    ----------
    tiles : (n, 1, height, width) float32
        Whole numbers from 0 to 255.

    Returns
    -------
    (n, 1, 4 * height, 4 * width) float32
        Whole numbers from 0 to 255, on the same device.

    Notes
    -----
    Pillow resizes rows, rounds half up to whole numbers, then resizes columns. At this
    scale all its weights are eighths, so float32 holds every sum exactly.
    """
    return _enlarge_axis(_enlarge_axis(tiles, 3), 2)


def _enlarge_axis(tiles: Tensor, axis: int) -> Tensor:
    length = tiles.shape[axis]
    first, last = tiles.narrow(axis, 0, 1), tiles.narrow(axis, length - 1, 1)
    before = torch.cat([first, tiles.narrow(axis, 0, length - 1)], dim=axis)
    after = torch.cat([tiles.narrow(axis, 1, length - 1), last], dim=axis)
    eighths = [5 * tiles + 3 * before, 7 * tiles + before]
    eighths += [7 * tiles + after, 5 * tiles + 3 * after]
    interleaved = torch.stack(eighths, dim=axis + 1).flatten(axis, axis + 1)
    return ((interleaved + 4) / 8).floor()


def _enlarge_cut_tile(tile: Tensor) -> Tensor:
    """Enlarge what there is of a tile as a whole one would be; the rest stays NaN.

    Pillow itself does it: there are few such tiles, and not all are enlarged 4 times.
    """
    there = ~tile.isnan()
    height, width = int(there[:, 0].sum()), int(there[0].sum())
    side_px = ENLARGEMENT * tile.shape[0]
    scale = side_px / max(height, width)
    rows, columns = (int(length * scale + 0.5) for length in (height, width))
    pixels = tile[:height, :width].cpu().numpy().astype(np.uint8)
    resized = Image.fromarray(pixels).resize((columns, rows), Image.Resampling.BILINEAR)
    enlarged = tile.new_full((side_px, side_px), torch.nan)
    enlarged[:rows, :columns] = torch.from_numpy(np.asarray(resized, dtype=np.float32))
    return enlarged
