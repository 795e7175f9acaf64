"""How full a field is: one frame's cells summed up as a line of the growth series."""

from __future__ import annotations

import numpy as np

from samcell_live.culture.cells import CellTable
from samcell_live.culture.quality import ImageQuality, cell_likeness, image_quality
from samcell_live.records import NAN, CellRow, Labels, Pixels, SeriesRow

UM2_PER_MM2 = 1e6


def confluence(labels: Labels) -> float:
    """Fraction of the field covered by cells, 0 to 1.

    Examples
    --------
    >>> confluence(np.array([[0, 1], [2, 2]], dtype=np.int32))
    0.75
    """
    return float(np.count_nonzero(labels) / labels.size)


def summarise(
    labels: Labels,
    pixels: Pixels,
    cells: CellTable,
    *,
    pixel_size_um: float,
    bits: int = 16,
    inference_ms: float = NAN,
    quality: ImageQuality | None = None,
    likeness: float | None = None,
) -> SeriesRow:
    """Sum up one segmented frame.

    Parameters
    ----------
    labels, pixels : (height, width)
        The cells and their image.
    cells : (n_cells, n_columns) float32
        What `cell_table` gave for them.
    pixel_size_um : float
        NaN where unknown; density and areas are then NaN.
    bits : int
        Bits of the camera that carry data.
    inference_ms : float
        Time in the network and the watershed.
    quality : ImageQuality, optional
    likeness : float, optional
        What `image_quality` and `cell_likeness` give, where that is known already.

    Returns
    -------
    SeriesRow
        In a field without cells the count is 0, and the statistics of the areas,
        which nothing can be said of, are NaN.
    """
    area_um2 = cells[:, CellRow._fields.index("area_um2")].astype(np.float64)
    field_mm2 = labels.size * pixel_size_um**2 / UM2_PER_MM2
    quality = image_quality(pixels, labels, bits=bits) if quality is None else quality
    return SeriesRow(
        confluence=confluence(labels),
        cell_count=float(len(cells)),
        density_per_mm2=len(cells) / field_mm2,
        area_mean_um2=float(area_um2.mean()) if area_um2.size else NAN,
        area_median_um2=float(np.median(area_um2)) if area_um2.size else NAN,
        area_sd_um2=float(area_um2.std(ddof=1)) if area_um2.size > 1 else NAN,
        cell_likeness=cell_likeness(pixels, labels) if likeness is None else likeness,
        inference_ms=inference_ms,
        **quality._asdict(),
    )


def measured_only(pixels: Pixels, *, bits: int = 16) -> SeriesRow:
    """Describe a frame in which no cells are looked for: its picture quality alone."""
    return SeriesRow(**image_quality(pixels, bits=bits)._asdict())
