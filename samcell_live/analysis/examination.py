"""What is looked at in a frame: its cells, those of another channel, or the picture."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from samcell_live.culture.cells import cell_table
from samcell_live.culture.confluence import measured_only, summarise
from samcell_live.culture.quality import Appearance, focus
from samcell_live.records import NAN, Frame, FrameKey, Labels, Segmentation, SeriesRow
from samcell_live.segmentation.stages import Prepared
from samcell_live.store.pictures import project
from samcell_live.store.reader import RunReader
from samcell_live.store.stacks import Stacks, Task

logger = logging.getLogger(__name__)


class Network(Protocol):
    """Finds the cells of frames."""

    def prepare(self, frame: Frame) -> Prepared:
        """Make a frame ready for the device."""

    def __call__(self, prepared: Prepared) -> tuple[Segmentation, float]:
        """Find the cells; gives also the milliseconds that it took."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """All that is committed of one frame."""

    row: SeriesRow
    labels: Labels | None = None
    """(height, width); None in a frame in which no cells were looked for."""
    cells: npt.NDArray[np.float32] | None = None
    """(n_cells, n_columns) in the columns of `CellRow`."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What is looked at for a whole stack."""

    frame: Frame
    """The frame that carries the result, with the pixels to be looked at."""
    plane: float = NAN
    """Plane that the pixels are of; NaN without a stack, and in a projection."""
    n_planes: float = NAN
    """Planes that it was made from; NaN for a plane that was asked for."""


class Examination:
    """Gives each frame of a run its result, when all that it needs is on disk.

    Safe to call from several threads.
    """

    def __init__(self, reader: RunReader, analysis: str, network: Network) -> None:
        self._reader = reader
        self._analysis = analysis
        self._network = network

    def __call__(self, frame: Frame) -> Result:
        """Find cells, measure those of another channel, or judge the picture."""
        plan = self._reader.plan
        if plan.is_plain:
            return find_cells(frame, plan.bits, self._network)
        stacks = self._reader.stacks(self._analysis, may_come=False)
        task = stacks.task(frame.key)
        if task is Task.JUDGE_PICTURE:
            return Result(measured_only(frame.pixels, bits=plan.bits))
        if task is Task.FIND_CELLS:
            picture = self._picture(frame, stacks)
            result = find_cells(picture.frame, plan.bits, self._network)
        else:
            found = stacks.segmented_of(frame.key)
            assert found is not None  # or there were no cells to be measured
            picture = self._picture(frame, stacks, like=found)
            labels = self._reader.labels(found, self._analysis)
            result = measure_cells(picture.frame, labels, plan.bits)
        row = result.row._replace(plane=picture.plane, n_planes=picture.n_planes)
        return replace(result, row=row)

    def _picture(
        self, frame: Frame, stacks: Stacks, like: FrameKey | None = None
    ) -> Picture:
        """Make the picture of a stack; with `like`, the same as that other stack's."""
        plan = stacks.plan
        if plan.stack == "plane":
            return Picture(frame, plane=frame.key.z if plan.has_z else NAN)
        planes = stacks.planes(frame.key)
        if (n_missing := stacks.n_missing_planes(frame.key)) > 0:
            logger.warning(
                "The stack of %s lacks %d of its planes; the %d that are there are taken.",
                frame.key,
                n_missing,
                len(planes),
            )
        if plan.stack == "sharpest":
            z = self._sharpest(planes) if like is None else self._plane_of(like)
            key = min(planes, key=lambda plane: abs(plane.z - z))
            pixels = self._reader.frame(key).pixels
            return Picture(replace(frame, pixels=pixels), key.z, len(planes))
        pixels = project((self._reader.frame(key).pixels for key in planes), plan.stack)
        return Picture(replace(frame, pixels=pixels), n_planes=len(planes))

    def _sharpest(self, planes: Iterable[FrameKey]) -> int:
        def mark(key: FrameKey) -> float:
            sharpness = focus(self._reader.frame(key).pixels)
            return -math.inf if math.isnan(sharpness) else sharpness

        return max(planes, key=mark).z

    def _plane_of(self, key: FrameKey) -> int:
        return int(self._reader.series_value("plane", key, self._analysis))


def find_cells(frame: Frame, bits: int, network: Network) -> Result:
    """Find and measure the cells of a picture."""
    pixels = frame.pixels
    prepared = network.prepare(frame)
    with ThreadPoolExecutor(1) as beside:
        appearance = beside.submit(Appearance, pixels, bits=bits)  # the device is at work
        segmentation, inference_ms = network(prepared)
        labels = segmentation.labels
        judged = beside.submit(appearance.result().judge, labels)
        cells = cell_table(labels, pixels, frame.pixel_size_um)
    quality, likeness = judged.result()
    row = summarise(
        labels,
        pixels,
        cells,
        pixel_size_um=frame.pixel_size_um,
        inference_ms=inference_ms,
        quality=quality,
        likeness=likeness,
    )
    return Result(row, labels, cells)


def measure_cells(frame: Frame, labels: Labels, bits: int) -> Result:
    """Measure cells that were found in another channel, and judge the picture."""
    cells = cell_table(labels, frame.pixels, frame.pixel_size_um)
    return Result(measured_only(frame.pixels, bits=bits), cells=cells)
