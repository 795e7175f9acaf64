"""What is measured and written for one image, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from PIL import Image

from samcell_live.culture.measurements import (
    CultureSummary,
    measure_cells,
    summarise_cells,
)
from samcell_live.recordings.calibration import refuse_unless_positive
from samcell_live.recordings.overlay import draw_overlay
from samcell_live.recordings.result_files import (
    write_labels,
    write_overlay,
    write_plane,
    write_table,
)
from samcell_live.records import Frame, Segmentation


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is written for each image, and where.

    Raises
    ------
    ValueError
        If the pixel size is not above 0.
    """

    folder: Path
    """Made if needed."""
    pixel_size_um: float | None = None
    """Goes before what the files say; None leaves it to them."""
    overlay: bool = True
    distance: bool = False
    texture: bool = False
    """Whether the table of cells has the columns of texture."""

    def __post_init__(self) -> None:
        refuse_unless_positive("pixel size in um", self.pixel_size_um)

    def labels_file(self, stem: Path) -> Path:
        """Where the label image of this name goes."""
        return self.folder / f"{stem}_labels.tif"


@dataclass(frozen=True, slots=True)
class ImageTask:
    """An image, and the relative path that its results are named by."""

    image: Path
    stem: Path


@dataclass(frozen=True, slots=True)
class SegmentedImage:
    """An image whose results are on disk."""

    task: ImageTask
    pixel_size_um: float
    """NaN where unknown."""
    summary: CultureSummary
    cells: Path
    """The table of its cells."""
    files: tuple[Path, ...]
    """All that was written for it."""


@dataclass(frozen=True, slots=True)
class FailedImage:
    """An image without results."""

    task: ImageTask
    reason: str

    def __str__(self) -> str:
        """Name the image with the reason, unless the reason does."""
        image = str(self.task.image)
        return self.reason if image in self.reason else f"{image}: {self.reason}"


@dataclass(frozen=True, slots=True, eq=False)
class FoundCells:
    """An image and its cells."""

    task: ImageTask
    frame: Frame
    segmentation: Segmentation


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredCells:
    """All that is to be written for an image."""

    found: FoundCells
    table: pd.DataFrame
    summary: CultureSummary
    overlay: Image.Image | None


def measure_image(outputs: Outputs, found: FoundCells) -> MeasuredCells:
    """Measure the cells of an image and draw them; writes nothing."""
    pixels, size_um = found.frame.pixels, found.frame.pixel_size_um
    labels = found.segmentation.labels
    table = measure_cells(labels, pixels, size_um, texture=outputs.texture)
    table.insert(0, "image", found.task.stem.as_posix())
    summary = summarise_cells(table, labels, size_um)
    overlay = draw_overlay(pixels, labels) if outputs.overlay else None
    return MeasuredCells(found, table, summary, overlay)


def write_image_results(outputs: Outputs, measured: MeasuredCells) -> SegmentedImage:
    """Write ``STEM_labels.tif`` and ``STEM_cells.csv``, and what else is asked for.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    task, segmentation = measured.found.task, measured.found.segmentation
    size_um = measured.found.frame.pixel_size_um
    labels = outputs.labels_file(task.stem)
    labels.parent.mkdir(parents=True, exist_ok=True)
    write_labels(labels, segmentation.labels, size_um, segmentation.making)
    cells = outputs.folder / f"{task.stem}_cells.csv"
    write_table(cells, measured.table)
    files = [labels, cells]
    if measured.overlay is not None:
        files.append(outputs.folder / f"{task.stem}_overlay.png")
        write_overlay(files[-1], measured.overlay)
    if outputs.distance:
        files.append(outputs.folder / f"{task.stem}_distance.tif")
        write_plane(files[-1], segmentation.distance, size_um, segmentation.making)
    return SegmentedImage(task, size_um, measured.summary, cells, tuple(files))
