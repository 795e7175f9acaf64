"""The full table: everything that is measured of a cell, for a spreadsheet.

`samcell_live.culture.cells` has the few columns that are kept live.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from samcell_live.culture.confluence import UM2_PER_MM2, confluence
from samcell_live.culture.intensities import Intensities, measure_intensities
from samcell_live.culture.neighbours import Neighbours, measure_neighbours, reach_in_pixels
from samcell_live.culture.outlines import Outlines, measure_outlines
from samcell_live.culture.places import Places, measure_places, sum_places
from samcell_live.culture.ratios import Ratios, form_ratios
from samcell_live.culture.shapes import Shapes, measure_shapes
from samcell_live.culture.texture import Textures, measure_textures
from samcell_live.records import NAN, Labels

Image = npt.NDArray[np.generic]
"""(height, width) of any real dtype."""
Columns = Shapes | Outlines | Ratios | Intensities | Neighbours | Textures

NOT_MEASURED: Final = Places._fields
"""Columns whose mean says nothing."""
SUMMARISED: Final = (
    "area_px", "area_um2", "perimeter_px", "perimeter_um", "circularity", "intensity_mean",
    "neighbour_count",
)  # fmt: skip


class CultureSummary(NamedTuple):
    """The cells of one image, summed up; unknown is NaN.

    `sd` is the standard deviation from cell to cell, of a sample (divided by n - 1).
    """

    cell_count: int
    border_cell_count: int
    """Cells that the image's edge cuts; their sizes and shapes are not whole."""
    confluence: float
    """Fraction of the field covered by cells, 0 to 1."""
    field_mm2: float
    density_per_mm2: float
    area_mean_px: float
    area_median_px: float
    area_sd_px: float
    area_mean_um2: float
    area_median_um2: float
    area_sd_um2: float
    perimeter_mean_px: float
    perimeter_sd_px: float
    perimeter_mean_um: float
    perimeter_sd_um: float
    circularity_mean: float
    circularity_sd: float
    intensity_mean: float
    """Mean of the cells' means: each cell counts once, whatever its size."""
    intensity_sd: float
    neighbour_count_mean: float
    neighbour_count_sd: float


def measure_cells(
    labels: Labels,
    pixels: Image,
    pixel_size_um: float = NAN,
    *,
    texture: bool = False,
    neighbour_distance_um: float | None = None,
) -> pd.DataFrame:
    """Measure everything about every cell of one image.

    The columns are the fields of `Places`, `Shapes`, `Outlines`, `Ratios`,
    `Intensities`, `Neighbours` and, if asked for, `Textures`; ``docs/measurements.md``
    explains each. Every ``_px`` length is followed by its ``_um`` and every ``_px``
    area by its ``_um2``.

    Parameters
    ----------
    labels : (height, width) int32
        0 on background, 1..n_cells elsewhere, with no gaps.
    pixels : (height, width) of any real dtype
        The image that the labels belong to.
    pixel_size_um : float
        NaN where unknown; micrometres are then NaN too.
    texture : bool
        Whether to add the columns of texture, which take longest.
    neighbour_distance_um : float, optional
        Gap between outlines up to which cells are neighbours; 5 micrometres unless
        given, or 5 pixels without calibration.

    Returns
    -------
    (n_cells, n_columns) DataFrame
        One line per cell in the order of the labels; what is undefined for a cell is
        NaN. An image without cells gives all columns and no line.

    Raises
    ------
    ValueError
        If the shapes differ, a label between 1 and n_cells has no pixel, the pixel size
        is not above 0, or the neighbours' distance is below 0 or cannot be converted to
        pixels.

    Examples
    --------
    >>> labels = np.array([[1, 1, 0], [0, 0, 2]], dtype=np.int32)
    >>> table = measure_cells(labels, labels, pixel_size_um=0.5)
    >>> table[["label", "area_px", "area_um2", "neighbour_count"]].to_numpy().tolist()
    [[1.0, 2.0, 0.5, 1.0], [2.0, 1.0, 0.25, 1.0]]
    """
    _check(labels, pixels, pixel_size_um)
    reach_px = reach_in_pixels(neighbour_distance_um, pixel_size_um)
    labels = np.ascontiguousarray(labels.astype(np.int32, casting="same_kind", copy=False))
    image = _native(pixels)
    sums = sum_places(labels)
    places = measure_places(sums, labels.shape)
    boxes = places.boxes
    shapes = measure_shapes(sums)
    outlines = measure_outlines(labels, boxes)
    centroids = np.column_stack((shapes.centroid_y_px, shapes.centroid_x_px))
    groups: list[Columns] = [
        shapes,
        outlines,
        form_ratios(shapes, outlines, places.area_bbox_px),
        measure_intensities(labels, image, boxes),
        measure_neighbours(labels, boxes, centroids, reach_px),
    ]
    if texture:
        groups.append(measure_textures(labels, image, boxes))
    columns = places._asdict()
    for group in groups:
        columns |= dict(_calibrated(group, pixel_size_um))
    return pd.DataFrame(columns)


def summarise_cells(
    table: pd.DataFrame, labels: Labels, pixel_size_um: float
) -> CultureSummary:
    """Sum up the cells of one image.

    Parameters
    ----------
    table : (n_cells, n_columns) DataFrame
        What `measure_cells` gave for the labels.
    labels : (height, width) int32
        0 on background, 1..n_cells elsewhere, with no gaps.
    pixel_size_um : float
        NaN where unknown; the density is then NaN.

    Returns
    -------
    CultureSummary
        In a field without cells the count is 0, and means and spreads are NaN.

    Raises
    ------
    ValueError
        If the table has more or fewer lines than there are labels.

    Examples
    --------
    >>> labels = np.array([[1, 1, 0], [0, 0, 2]], dtype=np.int32)
    >>> summary = summarise_cells(measure_cells(labels, labels, 0.5), labels, 0.5)
    >>> summary.cell_count, summary.confluence, summary.area_mean_um2
    (2, 0.5, 0.375)
    """
    n_cells = int(labels.max(initial=0))
    if len(table) != n_cells:
        raise ValueError(
            f"The table has {len(table)} cells and the label image {n_cells}. Give the "
            "table that was measured on these labels."
        )
    field_mm2 = labels.size * pixel_size_um**2 / UM2_PER_MM2
    numbers = table[list(SUMMARISED)]
    mean, median, sd = (numbers.agg(how).to_dict() for how in ("mean", "median", "std"))
    return CultureSummary(
        cell_count=n_cells,
        border_cell_count=int(table["touches_border"].sum()),
        confluence=confluence(labels),
        field_mm2=field_mm2,
        density_per_mm2=n_cells / field_mm2,
        area_mean_px=mean["area_px"],
        area_median_px=median["area_px"],
        area_sd_px=sd["area_px"],
        area_mean_um2=mean["area_um2"],
        area_median_um2=median["area_um2"],
        area_sd_um2=sd["area_um2"],
        perimeter_mean_px=mean["perimeter_px"],
        perimeter_sd_px=sd["perimeter_px"],
        perimeter_mean_um=mean["perimeter_um"],
        perimeter_sd_um=sd["perimeter_um"],
        circularity_mean=mean["circularity"],
        circularity_sd=sd["circularity"],
        intensity_mean=mean["intensity_mean"],
        intensity_sd=sd["intensity_mean"],
        neighbour_count_mean=mean["neighbour_count"],
        neighbour_count_sd=sd["neighbour_count"],
    )


def describe_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Give the mean and spread of every measurement over the cells of a table.

    Parameters
    ----------
    table : (n_cells, n_columns) DataFrame
        What `measure_cells` gave.

    Returns
    -------
    (n_measurements, 8) DataFrame
        A line per measurement, named by it; `count` is the number of cells that have
        one, `std` is of a sample (divided by n - 1).
    """
    return table.drop(columns=list(NOT_MEASURED)).describe().T


def _native(pixels: Image) -> npt.NDArray[Any]:
    """Give the image as compiled loops read it: rare dtypes become float64."""
    common = pixels.dtype in (np.uint8, np.uint16, np.float32)
    return np.ascontiguousarray(pixels, dtype=pixels.dtype if common else np.float64)


def _check(labels: Labels, pixels: Image, pixel_size_um: float) -> None:
    if labels.shape != pixels.shape:
        raise ValueError(
            f"The labels are {labels.shape} and the image is {pixels.shape}, but each "
            "pixel needs its label. Give one channel, and the labels on its grid."
        )
    if pixel_size_um <= 0 or math.isinf(pixel_size_um):
        raise ValueError(
            f"The pixel size is {pixel_size_um} um, but a pixel has a width. Give it in "
            "micrometres, or NaN where it is unknown."
        )


def _calibrated(
    group: Columns, pixel_size_um: float
) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    """Follow every column in pixels by the same in micrometres."""
    for name, values in group._asdict().items():
        yield name, values
        quantity = name.removesuffix("_px")
        if quantity == name:
            continue
        if quantity.startswith("area"):
            yield f"{quantity}_um2", values * pixel_size_um**2
        else:
            yield f"{quantity}_um", values * pixel_size_um
