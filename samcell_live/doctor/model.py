"""How long the model takes for a frame, on the run's own device."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from samcell_live.culture.cells import cell_table
from samcell_live.culture.confluence import summarise
from samcell_live.segmentation.segmenter import Segmenter, load_segmenter
from samcell_live.segmentation.weights.lookup import find_present_weights
from samcell_live.settings import SegmentationSettings
from samcell_live.simulation.culture import Culture
from samcell_live.simulation.rendering import render_field

PATIENCE_S = 20.0
"""A frame that would take longer is worked out from a part of it."""
PART_PX = 512
CROWDED_H = 60.0


class ModelPace(NamedTuple):
    """What a frame costs."""

    seconds_per_frame: float
    device: str
    is_estimate: bool
    """Worked out from a part of a frame."""


def measure_model(
    settings: SegmentationSettings,
    *,
    height_px: int,
    width_px: int,
    pixel_size_um: float,
) -> ModelPace:
    """Time the model, the watershed and the cell table on a crowded simulated culture.

    Parameters
    ----------
    settings : SegmentationSettings
        Of the run; its weights are on this computer.
    height_px, width_px : int
        Size of the run's frames.
    pixel_size_um : float
        Of the run's frames, by which they are resized where the settings say so.

    Raises
    ------
    ValueError
        If the weights are not on this computer, or the device is not there.
    """
    find_present_weights(settings.model)
    segmenter = load_segmenter(settings)
    part = _picture(min(height_px, PART_PX), min(width_px, PART_PX))
    whole = _picture(height_px, width_px)
    _seconds(segmenter, part, pixel_size_um)  # the first call is slower
    part_s = _seconds(segmenter, part, pixel_size_um)
    n_part, n_whole = (
        segmenter.n_tiles(segmenter.prepare(picture, pixel_size_um))
        for picture in (part, whole)
    )
    estimate_s = part_s * n_whole / n_part
    is_estimate = estimate_s > PATIENCE_S
    return ModelPace(
        estimate_s if is_estimate else _seconds(segmenter, whole, pixel_size_um),
        segmenter.making.device,
        is_estimate,
    )


def _seconds(
    segmenter: Segmenter, pixels: npt.NDArray[np.uint16], pixel_size_um: float
) -> float:
    started = time.perf_counter()
    labels = segmenter(pixels, pixel_size_um).labels
    cells = cell_table(labels, pixels, pixel_size_um)
    summarise(labels, pixels, cells, pixel_size_um=pixel_size_um, bits=16, inference_ms=0.0)
    return time.perf_counter() - started


def _picture(height_px: int, width_px: int) -> npt.NDArray[np.uint16]:
    """Repeat a field of cells until it fills a frame."""
    field = render_field(Culture(), 0.0, 0.0, hours=CROWDED_H, shape_px=(256, 256))
    times = (-(-height_px // 256), -(-width_px // 256))
    return np.asarray(np.tile(field, times)[:height_px, :width_px], dtype=np.uint16)
