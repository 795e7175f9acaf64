"""A network together with how it wants its images and how its maps are read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from samcell_live.segmentation.conversion import from_hugging_face, is_hugging_face
from samcell_live.segmentation.formats import StarterHeader, Weights, read_weights
from samcell_live.segmentation.network import PATCH_PX, SamcellNetwork
from samcell_live.segmentation.preprocess import GreyImage, scale_to_unit, standardise
from samcell_live.segmentation.starter import StarterNetwork

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from samcell_live.segmentation.tiling import Tiles

SAMCELL_DIAMETER_PX = 30.0
"""Cells of about this size are what SAMCell knows: LIVECell's, and Cellpose's default."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Everything in which one network differs from another."""

    network: nn.Module
    """From (n, 1, height, width) to logits of the same shape."""
    name: str
    """``starter``, ``samcell-vit_b`` and the like."""
    sha256: str
    prepare: Callable[[GreyImage], GreyImage]
    largest_tile_px: int
    multiple_px: int
    """Sides of tiles are multiples of this."""
    overlap_px: int
    most_tiles: int
    """Tiles that may go through the network at once."""
    peak_threshold: float
    fill_threshold: float
    cell_diameter_px: float
    """Diameter of the cells that the network knows best."""

    def tile_side_px(self, length_px: int) -> int:
        """Share one axis of an image evenly among the fewest tiles that cover it."""
        stride_px = self.largest_tile_px - self.overlap_px
        n_tiles = max(1, math.ceil((length_px - self.overlap_px) / stride_px))
        even_px = (length_px + (n_tiles - 1) * self.overlap_px) / n_tiles
        least_px = max(even_px, 2 * self.overlap_px)
        return math.ceil(least_px / self.multiple_px) * self.multiple_px

    def predict(self, tiles: Tiles) -> Tiles:
        """Predict distance maps where the network's weights lie.

        Parameters
        ----------
        tiles : (n, height, width) float32

        Returns
        -------
        (n, height, width) float32
        """
        device = next(self.network.parameters()).device
        with torch.inference_mode():
            batch = torch.from_numpy(tiles)[:, None].to(device)
            maps = torch.sigmoid(self.network(batch))[:, 0]
            return np.asarray(maps.float().cpu().numpy())


def load_model(path: Path) -> Model:
    """Read a weights file and build the network that it belongs to, on the CPU.

    Raises
    ------
    ValueError
        If the file is damaged or its tensors make neither network.
    FileNotFoundError
        If there is no such file.
    """
    weights = read_weights(path)
    try:
        if weights.starter is not None:
            return _starter(weights, weights.starter)
        return _samcell(weights)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _starter(weights: Weights, header: StarterHeader) -> Model:
    network = build_starter(weights.tensors, header)
    return Model(
        network=network,
        name="starter",
        sha256=weights.sha256,
        prepare=standardise,
        largest_tile_px=1088,
        multiple_px=network.multiple_px,
        overlap_px=128,
        most_tiles=1,
        peak_threshold=header.peak_threshold,
        fill_threshold=header.fill_threshold,
        cell_diameter_px=header.cell_diameter_px,
    )


def build_starter(tensors: dict[str, Tensor], header: StarterHeader) -> StarterNetwork:
    """Build a starter network, ready to predict.

    Raises
    ------
    ValueError
        If the tensors do not fit the header's channels.
    """
    network = StarterNetwork(header.channels)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(
            f"these weights do not make a starter network of channels {header.channels}: "
            f"{error}"
        ) from error
    return network.eval().to(memory_format=torch.channels_last)


def _samcell(weights: Weights) -> Model:
    tensors = weights.tensors
    if is_hugging_face(tensors):
        tensors = from_hugging_face(tensors)
    network = SamcellNetwork.from_tensors(tensors)
    tile_px = network.architecture.grid * PATCH_PX // 4
    return Model(
        network=network,
        name=f"samcell-{network.architecture.name}",
        sha256=weights.sha256,
        prepare=scale_to_unit,
        largest_tile_px=tile_px,
        multiple_px=tile_px,
        overlap_px=tile_px // 8,
        most_tiles=64,
        peak_threshold=0.47,
        fill_threshold=0.09,
        cell_diameter_px=SAMCELL_DIAMETER_PX,
    )
