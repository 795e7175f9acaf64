"""The search finds thresholds that part the cells."""

from __future__ import annotations

import numpy as np
import pytest

from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.watershed import split_cells
from samcell_live.training.fields import Field
from samcell_live.training.metrics import op_csb
from samcell_live.training.thresholds import FILLS, PEAKS, Example, tune_thresholds


def bridged() -> Example:
    """Two cells with a bridge of height 0.45 between them."""
    labels = np.zeros((20, 50), np.int32)
    labels[3:17, 4:18], labels[3:17, 30:44] = 1, 2
    distance = distance_map(labels)
    distance[9:11, 16:32] = np.maximum(distance[9:11, 16:32], 0.45)
    return Example(distance, labels)


def test_a_bridge_between_cells_asks_for_a_higher_peak() -> None:
    best = tune_thresholds([bridged()])

    assert best.peak > 0.45


def test_what_is_found_is_the_best_of_the_grid() -> None:
    example = bridged()

    best = tune_thresholds([example])

    scores = [
        op_csb(
            example.labels,
            split_cells(example.distance, peak_threshold=peak, fill_threshold=fill),
        )
        for peak in PEAKS
        for fill in FILLS
    ]
    assert best.op_csb == max(scores)


def ridge(heights: list[float], labels: list[int]) -> Example:
    """Cells in a row."""
    distance, truth = np.tile(heights, (4, 1)), np.tile(labels, (4, 1))
    return Example(distance.astype(np.float32), truth.astype(np.int32))


def test_prominence_parts_cells_that_no_peak_threshold_can() -> None:
    dented = ridge([0, 0.5, 0.9, 0.5, 0.8, 0.5, 0], [0, 1, 1, 1, 1, 1, 0])
    bridged = ridge([0, 0.6, 0.95, 0.55, 0.94, 0.6, 0], [0, 1, 1, 1, 2, 2, 0])

    best = tune_thresholds([dented, bridged], (0.0, 0.35))

    assert best.prominence == 0.35
    assert best.op_csb == 1
    assert tune_thresholds([dented, bridged]).op_csb < 1


def test_a_heavier_example_decides() -> None:
    flat = Example(0.4 * distance_map(bridged().labels), bridged().labels)

    low = tune_thresholds([bridged(), flat._replace(weight=100.0)])
    high = tune_thresholds([bridged()._replace(weight=100.0), flat])

    assert low.peak < 0.4 < 0.45 < high.peak


def test_fields_without_cells_cannot_tune() -> None:
    empty = Example(np.zeros((4, 4), np.float32), np.zeros((4, 4), np.int32))

    with pytest.raises(ValueError, match=r"None of the 1 fields .* has a cell"):
        tune_thresholds([empty])


def test_fields_without_cells_do_not_count(field: Field) -> None:
    empty = Example(np.ones((4, 4), np.float32), np.zeros((4, 4), np.int32), 50.0)
    some = Example(field.distance, field.labels)

    assert tune_thresholds([some, empty]) == tune_thresholds([some])
