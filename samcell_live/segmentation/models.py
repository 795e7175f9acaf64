"""A network together with how it wants its images and how its maps are read.

SAMCell's network is imported only where there is one to build: it takes about as long as
all else that a worker imports, and the starter needs nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import nn

from samcell_live.segmentation.conversion import from_hugging_face, is_hugging_face
from samcell_live.segmentation.formats import Weights, read_weights
from samcell_live.segmentation.headers import StarterHeader
from samcell_live.segmentation.preprocess import (
    GreyImage,
    scale_to_bytes,
    scale_to_unit,
    standardise,
)
from samcell_live.segmentation.reference import centroid_markers
from samcell_live.segmentation.starter import StarterNetwork
from samcell_live.segmentation.tiling import EvenTiling, Tiling

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from samcell_live.records import Labels, Mask
    from samcell_live.segmentation.network import SamcellNetwork
    from samcell_live.settings import Preset

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
    tiling: Tiling
    most_tiles: int
    """Tiles that may go through the network at once."""
    peak_threshold: float
    fill_threshold: float
    cell_diameter_px: float
    """Diameter of the cells that the network knows best."""
    prominence: float = 0
    """Of the peaks that seed cells; 0: regions above the peak threshold seed them."""
    finds_diameters: bool = False
    """Whether it sees cells of any size well enough to tell how large they are."""
    half_turn: bool = False
    """Whether it does best by the mean over an image as it is and turned by 180 degrees."""
    bears_bfloat16: bool = False
    """Whether its cells are the same in bfloat16, by measurement."""
    markers: Callable[[Mask], Labels] | None = None
    """From the map above the peak threshold to one marker a cell; None: its regions."""


def load_model(path: Path, preset: Preset = "default") -> Model:
    """Read a weights file and build the network that it belongs to, on the CPU.

    Parameters
    ----------
    path : Path
    preset : str
        ``reference`` uses SAMCell's weights as the package samcell 1.2.0 does.

    Raises
    ------
    ValueError
        If the file is damaged, its tensors make neither network, or the network has no
        such preset.
    FileNotFoundError
        If there is no such file.
    """
    weights = read_weights(path)
    try:
        if weights.starter is not None:
            if preset != "default":
                raise ValueError(
                    f"the preset {preset} is a way to use SAMCell's weights, and these are "
                    "a starter network's. Leave it unset, or give a SAMCell model."
                )
            return _starter(weights, weights.starter)
        return _samcell(weights, preset)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _starter(weights: Weights, header: StarterHeader) -> Model:
    network = build_starter(weights.tensors, header)
    return Model(
        network=network,
        name="starter",
        sha256=weights.sha256,
        prepare=standardise,
        tiling=EvenTiling(1088, network.multiple_px, overlap_px=128),
        most_tiles=1,
        peak_threshold=header.peak_threshold,
        fill_threshold=header.fill_threshold,
        cell_diameter_px=header.cell_diameter_px,
        prominence=header.prominence,
        finds_diameters=True,
        half_turn=True,
        bears_bfloat16=True,
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
    network.eval().fold_norms()
    return network.to(memory_format=torch.channels_last)


def build_samcell(tensors: Mapping[str, Tensor]) -> SamcellNetwork:
    """Build SAMCell from its own or from transformers' state dict, ready to predict.

    Raises
    ------
    ValueError
        If the tensors are not those of a SAM.
    """
    from samcell_live.segmentation.network import SamcellNetwork

    if is_hugging_face(tensors):
        tensors = from_hugging_face(tensors)
    return SamcellNetwork.from_tensors(tensors)


def _samcell(weights: Weights, preset: Preset) -> Model:
    from samcell_live.segmentation.network import PATCH_PX

    network = build_samcell(weights.tensors)
    tuned = weights.samcell.fine_tuning if weights.samcell else None
    native_px = network.architecture.grid * PATCH_PX // 4
    tile_px = (tuned.patch_px if tuned else None) or native_px
    model = Model(
        network=network,
        name=f"samcell-{network.architecture.name}",
        sha256=weights.sha256,
        prepare=scale_to_unit,
        tiling=EvenTiling(tile_px, tile_px, overlap_px=tile_px // 8),
        most_tiles=64,
        peak_threshold=tuned.peak_threshold if tuned else 0.47,
        fill_threshold=tuned.fill_threshold if tuned else 0.09,
        cell_diameter_px=tuned.cell_diameter_px if tuned else SAMCELL_DIAMETER_PX,
    )
    if preset == "default":
        return model
    from samcell_live.segmentation.reference_network import (
        ReferenceNetwork,
        ReferenceTiling,
    )

    return replace(
        model,
        network=ReferenceNetwork(network),
        prepare=scale_to_bytes,
        tiling=ReferenceTiling(),
        markers=centroid_markers,
    )
