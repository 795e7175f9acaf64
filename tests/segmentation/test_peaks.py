"""Prominent peaks are the tops that a reconstruction of the lowered map leaves out."""

from __future__ import annotations

import numpy as np
import pytest
from hilly import hills
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage.morphology import reconstruction

from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.peaks import prominent_peaks
from samcell_live.segmentation.watershed import split_cells

EIGHT = np.ones((3, 3))


def by_reconstruction(distance: np.ndarray, peak: float, prominence: float) -> set[int]:
    """Places of the highest pixels of all domes that are as high as the prominence."""
    lowered = np.maximum(distance - np.float32(prominence), 0)
    domes = distance - reconstruction(lowered, distance, footprint=EIGHT)
    regions, n = ndimage.label(domes > 0, EIGHT)
    tops = np.array(ndimage.maximum_position(distance, regions, range(1, n + 1)))
    return {
        y * distance.shape[1] + x
        for y, x in tops.reshape(-1, 2).tolist()
        if domes[y, x] >= prominence - 1e-6 and distance[y, x] > peak
    }


@given(
    seed=st.integers(0, 10_000),
    blur_px=st.sampled_from([0.6, 1.5, 4.0]),
    peak=st.floats(0.05, 0.7),
    prominence=st.floats(0.03, 0.5),
)
def test_peaks_are_the_domes_that_a_reconstruction_leaves(
    seed: int, blur_px: float, peak: float, prominence: float
) -> None:
    distance = hills(seed, blur_px)

    peaks = prominent_peaks(distance, peak, prominence)

    assert set(np.flatnonzero(peaks)) == by_reconstruction(distance, peak, prominence)


def test_peaks_are_numbered_in_raster_order() -> None:
    peaks = prominent_peaks(hills(1, 1.5), 0.5, 0.1)
    assert peaks[peaks > 0].tolist() == list(range(1, peaks.max() + 1))
    assert peaks.dtype == np.int32


def test_a_plateau_is_one_peak() -> None:
    flat = np.zeros((12, 12), np.float32)
    flat[2:10, 2:10] = 1
    assert np.count_nonzero(prominent_peaks(flat, 0.3, 0.2)) == 1


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (3, 1)])
def test_a_map_without_peaks_has_none(shape: tuple[int, int]) -> None:
    peaks = prominent_peaks(np.zeros(shape, np.float32), 0.3, 0.2)
    assert peaks.shape == shape
    assert not peaks.any()


def test_what_is_no_number_is_no_peak() -> None:
    distance = hills(1, 4.0)
    distance[5:9, 5:9] = np.nan
    assert not prominent_peaks(distance, 0.3, 0.2)[5:9, 5:9].any()


def test_a_ridge_with_dents_is_one_cell_and_a_shallow_valley_parts_two() -> None:
    labels = np.zeros((24, 80), np.int32)
    labels[6:18, 4:34] = labels[6:18, 46:60] = 1
    labels[6:18, 60:74] = 2
    distance = distance_map(labels)
    distance[:, 14:17] *= 0.3 / distance[:, 14:17].max()  # a dent, to below the threshold
    distance[:, 14:17] += 0.5 * (distance[:, 14:17] > 0)
    distance[6:18, 58:62] = np.maximum(distance[6:18, 58:62], 0.5)  # filled up, to above

    by_region = split_cells(distance, peak_threshold=0.47, fill_threshold=0.09)
    by_peak = split_cells(
        distance, peak_threshold=0.47, fill_threshold=0.09, prominence=0.25
    )

    assert by_region.max() == 2
    assert by_peak.max() == 3
