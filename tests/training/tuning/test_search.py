"""Thresholds are found on labelled images, for each data set and all together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from labelled_folders import cellpose_folder, pairs_folder

from samcell_live.records import DistanceMap, Labels
from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.watershed import split_cells
from samcell_live.training.data.labelled import LabelledImage, Truth
from samcell_live.training.metrics import match_cells, pool
from samcell_live.training.thresholds import Thresholds
from samcell_live.training.tuning.grid import Grid
from samcell_live.training.tuning.search import JudgedImages, open_images, tune

GRID = Grid.even(0.05)
OWN = Thresholds(0.47, 0.09)


def bridged(height: float, ignored: Labels | None = None) -> LabelledImage:
    """Two cells with a bridge between them; its pixels are its distance map already."""
    labels = np.zeros((20, 50), np.int32)
    labels[3:17, 4:18], labels[3:17, 30:44] = 1, 2
    distance = distance_map(labels)
    distance[9:11, 16:32] = np.maximum(distance[9:11, 16:32], height)
    silent = np.zeros(labels.shape, np.bool_) if ignored is None else ignored > 0
    return LabelledImage(
        "bridged", "all", "1", lambda: distance, lambda: Truth(labels, silent)
    )


def as_it_is(pixels: DistanceMap) -> DistanceMap:
    return pixels.copy()


def judged(name: str, *images: LabelledImage) -> JudgedImages:
    return JudgedImages(name, images)


def test_a_higher_bridge_asks_for_a_higher_peak() -> None:
    low, high = judged("low", bridged(0.3)), judged("high", bridged(0.62))

    tuning = tune([low, high], as_it_is, OWN, GRID)

    best_low, best_high = (surface.best.peak for surface in tuning.data_sets)
    assert 0.3 <= best_low < 0.62 <= best_high
    assert tuning.together.best.peak >= 0.62


def test_the_cells_of_all_images_are_pooled() -> None:
    images = [bridged(0.3), bridged(0.62)]

    tuning = tune([judged("both", *images)], as_it_is, OWN, GRID)

    (surface,) = tuning.data_sets
    alone = [
        match_cells(
            image.read_truth().labels,
            split_cells(image.read_pixels(), peak_threshold=0.5, fill_threshold=0.2),
        )
        for image in images
    ]
    found = surface.at(GRID.peaks.index(0.5), GRID.fills.index(0.2))
    assert found.op_csb == pool(alone).op_csb


def test_the_models_own_thresholds_are_scored_though_off_the_grid() -> None:
    image = bridged(0.3)

    tuning = tune([judged("one", image)], as_it_is, OWN, GRID)

    alone = match_cells(
        image.read_truth().labels,
        split_cells(image.read_pixels(), peak_threshold=OWN.peak, fill_threshold=OWN.fill),
    )
    assert tuning.data_sets[0].own.op_csb == alone.op_csb


def test_what_is_found_where_the_truth_is_silent_is_not_false() -> None:
    image = bridged(0.3)
    covered = np.zeros((20, 50), np.int32)
    covered[:, 24:] = 1
    truth = np.where(covered, 0, image.read_truth().labels)
    silent = LabelledImage(
        "half", "all", "1", image.read_pixels, lambda: Truth(truth, covered > 0)
    )

    tuning = tune([judged("half", silent)], as_it_is, OWN, GRID)

    assert np.nanmax(tuning.data_sets[0].det) == 1


def test_one_is_told_of_every_image() -> None:
    seen = []

    tune(
        [judged("both", bridged(0.3), bridged(0.4)), judged("one", bridged(0.3))],
        as_it_is,
        OWN,
        GRID,
        on_image=lambda: seen.append(1),
    )

    assert len(seen) == 3


def test_of_data_in_parts_the_named_one_is_used(tmp_path: Path) -> None:
    folder = cellpose_folder(tmp_path)

    assert [image.split for image in open_images(folder, "test").images] == ["test"]


def test_data_in_one_part_are_used_whole(tmp_path: Path) -> None:
    judged_images = open_images(pairs_folder(tmp_path), "val")

    assert len(judged_images.images) == 2
    assert judged_images.name == f"{tmp_path.name}/pairs"
