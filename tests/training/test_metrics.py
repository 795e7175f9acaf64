from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from ctc_metrics.metrics.technical.det import det as reference_det
from ctc_metrics.metrics.technical.seg import seg as reference_seg
from ctc_metrics.utils.representations import (
    count_acyclic_graph_correction_operations,
    match,
)
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment

from samcell_live.records import Labels
from samcell_live.training.metrics import (
    IOU_PERCENTS,
    average_precision,
    confluence_error,
    count_error,
    count_hits,
    count_overlaps,
    det,
    f1,
    match_cells,
    op_csb,
    pool,
    pool_hits,
    seg,
)


def labels(*rows: str) -> Labels:
    """Write a label image as digits, with dots for the background."""
    return np.array(
        [[int(mark.replace(".", "0")) for mark in row] for row in rows], np.int32
    )


ONE_CELL = labels("11.", "11.")
TWO_CELLS = labels("11.22", "11.22")
EMPTY = np.zeros((2, 5), dtype=np.int32)

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)


def pairs(most: int = 6) -> st.SearchStrategy[Labels]:
    """Two label images of one shape, stacked: (2, height, width)."""
    return SHAPES.flatmap(
        lambda shape: hnp.arrays(np.int32, (2, *shape), elements=st.integers(0, most))
    )


def test_a_perfect_result_scores_one() -> None:
    assert (seg(TWO_CELLS, TWO_CELLS), det(TWO_CELLS, TWO_CELLS)) == (1, 1)


def test_an_empty_result_scores_zero() -> None:
    assert (seg(TWO_CELLS, EMPTY), det(TWO_CELLS, EMPTY)) == (0, 0)


@pytest.mark.parametrize("result", [EMPTY, TWO_CELLS])
def test_without_reference_cells_the_scores_are_unknown(result: Labels) -> None:
    for score in (seg, det, op_csb, count_error):
        assert math.isnan(score(EMPTY, result))


def test_half_a_cell_is_not_enough_to_meet_it() -> None:
    assert seg(labels("1111"), labels("11..")) == 0
    assert seg(labels("1111"), labels("111.")) == 0.75


def test_two_cells_as_one_cost_a_split() -> None:
    found = match_cells(TWO_CELLS, labels("11111", "11111"))
    assert (found.n_splits, found.n_missed, found.n_false) == (1, 0, 0)
    assert found.det == 1 - 5 / 20
    assert found.seg == 0.4


def test_one_cell_in_halves_is_missed_and_both_halves_are_false() -> None:
    found = match_cells(labels("1111"), labels("1122"))
    assert (found.n_splits, found.n_missed, found.n_false) == (0, 1, 2)


def test_many_false_cells_cost_no_more_than_starting_from_nothing() -> None:
    reference = np.zeros((10, 10), dtype=np.int32)
    reference[0, 0] = 1
    assert det(reference, np.arange(100, dtype=np.int32).reshape(10, 10)) == 0


@given(pair=pairs())
def test_scores_stay_between_zero_and_one(pair: Labels) -> None:
    found = match_cells(*pair)
    if found.n_reference:
        assert 0 <= found.seg <= 1
        assert 0 <= found.det <= 1
        assert found.op_csb == (found.seg + found.det) / 2


@given(pair=pairs(), shift=st.integers(1, 10_000))
def test_the_numbers_that_cells_bear_do_not_matter(pair: Labels, shift: int) -> None:
    reference, result = pair
    renumbered = np.where(result > 0, (7 - result) * shift, 0).astype(np.int32)
    assert match_cells(reference, renumbered) == match_cells(reference, result)


def intersections_over_unions(reference: Labels, result: Labels) -> npt.NDArray[np.float64]:
    """(n_reference, n_result), the dense and obvious way."""
    ours = [reference == label for label in np.unique(reference[reference > 0])]
    theirs = [result == label for label in np.unique(result[result > 0])]
    return np.array(
        [[(one & other).sum() / (one | other).sum() for other in theirs] for one in ours]
    ).reshape(len(ours), len(theirs))


@given(pair=pairs(most=4))
def test_hits_are_the_most_pairs_that_an_assignment_finds(pair: Labels) -> None:
    ious = intersections_over_unions(*pair)
    found = count_hits(count_overlaps(*pair))
    assert (found.n_reference, found.n_result) == ious.shape
    for percent, hits in zip(IOU_PERCENTS, found.n_hits, strict=True):
        close = ious >= percent / 100 - 1e-9
        assert hits == close[linear_sum_assignment(close, maximize=True)].sum()


def test_two_halves_of_a_cell_are_one_hit_and_one_false_cell() -> None:
    whole, halves = labels("1111"), labels("1122")
    assert average_precision(whole, halves)[:2] == (0.5, 0)
    assert average_precision(halves, whole)[:2] == (0.5, 0)


def test_a_threshold_counts_where_it_is_reached_exactly() -> None:
    reference, result = np.zeros((2, 1, 20), dtype=np.int32)
    reference[:], result[:, :11] = 1, 1
    assert average_precision(reference, result)[:3] == (1, 1, 0)


def test_f1_counts_a_hit_twice() -> None:
    assert f1(TWO_CELLS, labels("11...", "11...")) == pytest.approx(2 / 3)
    assert average_precision(TWO_CELLS, labels("11...", "11..."))[0] == 0.5


def test_cells_on_one_side_only_score_zero_and_on_neither_are_unknown() -> None:
    assert f1(TWO_CELLS, EMPTY) == f1(EMPTY, TWO_CELLS) == 0
    assert set(average_precision(EMPTY, TWO_CELLS)) == {0}
    assert math.isnan(f1(EMPTY, EMPTY))
    assert math.isnan(average_precision(EMPTY, EMPTY)[0])


def test_pooled_hits_weigh_every_cell_the_same() -> None:
    pairs = [(ONE_CELL, ONE_CELL), (TWO_CELLS, EMPTY), (EMPTY, TWO_CELLS)]
    pooled = pool_hits(count_hits(count_overlaps(*pair)) for pair in pairs)
    assert (pooled.ap50, pooled.mean_ap, pooled.f1) == (1 / 5, 1 / 5, 2 / 6)


@given(pair=pairs())
def test_the_table_of_overlaps_adds_up(pair: Labels) -> None:
    reference, result = pair
    table = count_overlaps(reference, result)
    for n, a, b in zip(table.shared_px, table.reference, table.result, strict=True):
        assert n == ((reference == a) & (result == b)).sum() > 0
    assert table.shared_px.sum() == ((reference > 0) & (result > 0)).sum()
    assert table.result_covered == pytest.approx((result > 0).mean())


def test_the_largest_labels_need_no_more_memory_than_the_smallest() -> None:
    largest = np.where(TWO_CELLS > 0, 2**32 - TWO_CELLS.astype(np.int64), 0)
    assert seg(largest.astype(np.uint32), largest) == 1


@given(pair=pairs(most=4))
def test_the_oracle_agrees(pair: Labels, tmp_path_factory: pytest.TempPathFactory) -> None:
    for one in pair:  # py-ctcmetrics needs cells and background in both
        assume(one.any() and not one.all())
    folder = tmp_path_factory.mktemp("pair")
    for name, image in zip(("reference.tif", "result.tif"), pair, strict=True):
        tifffile.imwrite(folder / name, image)
    *parts, overlaps = match(str(folder / "reference.tif"), str(folder / "result.tif"))
    counts = count_acyclic_graph_correction_operations(
        None, None, *([part] for part in parts)
    )
    found = match_cells(*pair)
    assert (found.n_missed, found.n_false) == (counts["FN"], counts["FP"])
    assert found.n_splits == counts["NS"]
    assert found.seg == pytest.approx(reference_seg([parts[0]], [overlaps]))
    assert found.det == pytest.approx(reference_det(**counts))


def test_a_sequence_weighs_every_cell_the_same() -> None:
    pooled = pool([match_cells(ONE_CELL, ONE_CELL), match_cells(TWO_CELLS, EMPTY)])
    assert pooled.seg == pytest.approx(1 / 3)
    assert pooled.det == pytest.approx(1 / 3)
    assert pooled.count_error == pytest.approx(-2 / 3)


def test_nothing_at_all_is_unknown() -> None:
    assert math.isnan(pool([]).op_csb)


def test_errors_of_count_and_confluence_have_a_sign() -> None:
    assert count_error(TWO_CELLS, labels("11...", "11...")) == -0.5
    assert confluence_error(TWO_CELLS, labels("11...", "11...")) == pytest.approx(-0.4)
    assert confluence_error(EMPTY, TWO_CELLS) == pytest.approx(0.8)


def test_images_of_different_shape_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"reference is \(2, 3\) and the result is \(2, 5\)"
    ):
        seg(ONE_CELL, TWO_CELLS)


def test_what_are_no_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="float64 pixels"):
        seg(TWO_CELLS, TWO_CELLS.astype(float))
    with pytest.raises(ValueError, match=r"from -2 to 0"):
        seg(-TWO_CELLS, TWO_CELLS)


def sequence(folder: Path, truth: str, name: str) -> list[tuple[Labels, Labels]]:
    """Reference and result images of one official sequence, in order of time."""
    data = folder / "ctc_vectors" / "testing_dataset"
    return [
        (
            tifffile.imread(path),
            tifffile.imread(data / f"{name}_RES" / f"mask{path.stem[-3:]}.tif"),
        )
        for path in sorted((data / f"{name}_GT" / truth).glob("*.tif"))
    ]


def test_the_official_seg_is_reproduced(shared_data: Path) -> None:
    images = sequence(shared_data, "SEG", "01")
    assert len(images) == 18
    assert f"{pool(match_cells(*pair) for pair in images).seg:.6f}" == "0.232874"


def test_the_official_det_is_reproduced(shared_data: Path) -> None:
    images = sequence(shared_data, "TRA", "03")
    found = pool(match_cells(*pair) for pair in images)
    assert (found.n_splits, found.n_missed, found.n_false) == (5, 5, 3)
    assert f"{found.det:.6f}" == "0.688000"
