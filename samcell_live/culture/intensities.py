"""How bright cells are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from samcell_live.compiled import compiled
from samcell_live.records import Labels

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Intensities(NamedTuple):
    """Columns that follow from a cell's grey values, (n_cells,) each, in the image's units.

    Names and definitions are those of scikit-image's ``regionprops``;
    ``intensity_range`` is the maximum less the minimum.
    """

    intensity_mean: FloatArray
    intensity_std: FloatArray
    intensity_min: FloatArray
    intensity_max: FloatArray
    intensity_range: FloatArray


def measure_intensities(
    labels: Labels, image: npt.NDArray[Any], boxes: IntArray
) -> Intensities:
    """Sum up the grey values of every cell.

    Parameters
    ----------
    labels : (height, width) int32
        0 on background, 1..n_cells elsewhere, with no gaps.
    image : (height, width) of any real dtype
        A NaN makes all columns of its cell NaN.
    boxes : (n_cells, 4) int64
        Half-open bounding boxes: y0, x0, y1, x1.

    Returns
    -------
    Intensities
        The standard deviation is that of all the cell's pixels (divided by n).
    """
    intensities = Intensities(*np.empty((5, len(boxes))))
    _fill_in(intensities, labels, image, boxes)
    return intensities


@compiled
def _fill_in(
    intensities: Intensities, labels: Labels, image: npt.NDArray[Any], boxes: IntArray
) -> None:
    for cell in range(len(boxes)):
        y0, x0, y1, x1 = boxes[cell]
        own, values = labels[y0:y1, x0:x1], image[y0:y1, x0:x1]
        mean, darkest, brightest = _mean_and_extremes(own, values, cell + 1)
        intensities.intensity_mean[cell] = mean
        intensities.intensity_std[cell] = _spread(own, values, cell + 1, mean)
        intensities.intensity_min[cell] = darkest
        intensities.intensity_max[cell] = brightest
        intensities.intensity_range[cell] = brightest - darkest


@compiled
def _mean_and_extremes(
    labels: Labels, values: npt.NDArray[Any], label: int
) -> tuple[float, float, float]:
    n, total, darkest, brightest = 0, 0.0, np.inf, -np.inf
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x] == label:
                value = float(values[y, x])
                n += 1
                total += value
                if value < darkest or np.isnan(value):
                    darkest = value
                if value > brightest or np.isnan(value):
                    brightest = value
    return total / n, darkest, brightest


@compiled
def _spread(labels: Labels, values: npt.NDArray[Any], label: int, mean: float) -> float:
    """Standard deviation about the mean, so that no digits are lost to a bright level."""
    n, squares = 0, 0.0
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x] == label:
                n += 1
                squares += (float(values[y, x]) - mean) ** 2
    return float(np.sqrt(squares / n))
