"""Faults that a label image shows by itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, find_objects
from skimage.measure import label as connected_regions

from samcell_live.records import Labels, Mask
from samcell_live.segmentation.distance import distance_map
from samcell_live.training.data.findings import Finding, Kind, about_labels
from samcell_live.training.data.fitting import number_anew
from samcell_live.training.data.labelled import Truth

WAIST, LOBE, BRIDGE = 0.35, 0.7, 1.0
"""A region has a waist where it falls apart below `WAIST` of its greatest depth, into
parts that are at least `LOBE` of it deep and at most `BRIDGE` of it from each other: like
two discs that touch, and unlike one long cell with a thin middle. Of 3,110 nuclei of
DSB2018 it finds five, each two in truth; of 3,225 hand-drawn fibroblast-like cells eight,
most of them one cell. Cells that touch along more of their border are not seen."""

SPECK = 0.05
"""Pieces smaller than this share of the largest are slips of the pen, not cells."""


def check_truth(truth: Truth, smallest_px: int) -> list[Finding]:
    """Look for what is wrong with the truth of one image.

    Two cells that touch and have the same number are one region: a label image cannot
    say so. What can be seen is a number in several pieces (8-connected), and a region
    with a waist; the latter may be one cell.

    Parameters
    ----------
    truth : Truth
    smallest_px : int
        A cell of fewer pixels is reported as tiny.
    """
    marked, areas = np.unique(truth.labels[truth.labels > 0], return_counts=True)
    findings = _about_the_source(truth, marked)
    if marked.size == 0:
        return [*findings, Finding(Kind.NO_CELLS, 1, "the mask has no cell")]
    labels = number_anew(truth.labels)  # huge numbers would need huge tables
    pieces, specks = labels_in_pieces(labels)
    waists = labels_with_waist(labels) - pieces
    tiny = set((np.flatnonzero(areas < smallest_px) + 1).tolist())
    for kind, what, places in [
        (*_meaning_of_pieces(truth, marked.size), pieces),
        (Kind.WAIST, "with a waist, perhaps two cells that touch", waists),
        (Kind.SPECKS, f"with detached specks below {SPECK:.0%} of the cell", specks),
        (Kind.TINY, f"smaller than {smallest_px} px", tiny),
    ]:
        findings += about_labels(kind, (int(marked[n - 1]) for n in places), what)
    return findings


def _meaning_of_pieces(truth: Truth, n_cells: int) -> tuple[Kind, str]:
    """What it means that a number stands on several pieces."""
    if truth.n_overlapping_px:  # drawn one by one: a number is one cell, come what may
        return Kind.CUT, "cut into pieces by cells that lie on them"
    if n_cells == 1:
        return Kind.BINARY, "the only one, on several pieces: no number for each cell"
    return Kind.SEVERAL_PIECES, "in several pieces; each cell needs a number of its own"


def _about_the_source(truth: Truth, numbers: npt.NDArray[np.int32]) -> list[Finding]:
    """Findings about how the labels were stored or described."""
    highest = int(numbers.max(initial=0))
    found = [
        Finding(Kind.ZERO_AREA, truth.n_lost, "cells without a pixel of their own"),
        Finding(Kind.OVERLAP, truth.n_overlapping_px, "px claimed by several cells"),
        Finding(Kind.UNMARKED, truth.n_unmarked, "cells are marked, but have no outline"),
        Finding(Kind.IGNORED, int(truth.ignored.sum()), "px of which nothing is known"),
        Finding(Kind.GAPS, highest - numbers.size, "numbers below the highest are unused"),
    ]
    if numbers.size > 1 and truth.highest_possible == highest == numbers.size:
        what = f"all {highest} numbers that the file can hold are used; more were cut off"
        found.append(Finding(Kind.NUMBERS_FULL, highest, what))
    return [finding for finding in found if finding.count > 0]


def labels_in_pieces(labels: Labels) -> tuple[set[int], set[int]]:
    """Numbers on several regions that do not even meet at a corner, and on mere specks."""
    regions = connected_regions(labels, connectivity=2)
    areas = np.bincount(regions.ravel())
    largest = np.zeros(labels.max(initial=0) + 1, dtype=np.int64)
    np.maximum.at(largest, labels, areas[regions])
    wide = np.where(areas[regions] >= SPECK * largest[labels], regions, 0)
    pieces = _numbers_of_several(labels, wide)
    return pieces, _numbers_of_several(labels, regions) - pieces


def labels_with_waist(labels: Labels) -> set[int]:
    """Numbers of regions that are two or more wide parts on a narrow, short bridge."""
    depth = distance_map(labels)
    lobes = connected_regions(np.where(depth > WAIST, labels, 0), connectivity=2)
    deepest = np.zeros(lobes.max(initial=0) + 1, dtype=np.float32)
    np.maximum.at(deepest, lobes, depth)
    lobes = np.where(deepest[lobes] >= LOBE, lobes, 0)
    boxes = find_objects(labels)
    return {
        label
        for label in _numbers_of_several(labels, lobes)
        if _is_short_bridge(
            labels[boxes[label - 1]] == label,
            np.where(labels == label, lobes, 0)[boxes[label - 1]],
        )
    }


def _is_short_bridge(cell: Mask, lobes: npt.NDArray[np.int64]) -> bool:
    """Whether the lobe nearest to a cell's first lobe is near, for a cell of this depth."""
    first = lobes == lobes[lobes > 0][0]
    gap_px = distance_transform_edt(~first)[(lobes > 0) & ~first].min()
    return bool(gap_px <= BRIDGE * distance_transform_edt(np.pad(cell, 1)).max())


def _numbers_of_several(labels: Labels, regions: npt.NDArray[np.int64]) -> set[int]:
    """Numbers that have more than one region; region 0 is none."""
    inside = regions > 0
    of_region = np.zeros(regions.max(initial=0) + 1, dtype=np.int32)
    of_region[regions[inside]] = labels[inside]
    numbers, n_regions = np.unique(of_region[of_region > 0], return_counts=True)
    return set(numbers[n_regions > 1].tolist())
