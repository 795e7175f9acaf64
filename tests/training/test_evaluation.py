"""Predictions meet their truth by name, and nothing that is missing raises a score."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from builders import acquired_run, commit_cells, plan, results_of, squares
from PIL import Image

from samcell_live.records import FrameKey, Labels, RunShape
from samcell_live.training.evaluation import (
    Evaluation,
    evaluate,
    open_predictions,
    open_truth,
)
from samcell_live.training.evaluation.comparison import (
    BOTH_RGB,
    FOUND_RGB,
    TRUTH_RGB,
    draw_comparison,
)
from samcell_live.training.evaluation.label_files import find_labels, read_labels
from samcell_live.training.evaluation.report import summary, table, write_evaluation

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes label images into a folder, by file name."""

    def files(folder: str, **images: Labels) -> Path:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for name, labels in images.items():
            tifffile.imwrite(tmp_path / folder / f"{name}.tif", labels.astype(np.uint16))
        return tmp_path / folder

    return files


def score(predictions: Path, truth: Path, *, missing_ok: bool = False) -> Evaluation:
    return evaluate(open_predictions(predictions), open_truth(truth), missing_ok=missing_ok)


THREE, TWO, NONE = squares(3), squares(2), squares(0)


@pytest.mark.parametrize(
    ("found", "true"),
    [
        ("a_labels", "a_mask"),
        ("a_cp_masks", "a_masks"),
        ("a", "a_label"),
        ("mask007", "man_seg007"),
        ("t07", "007_mask"),
    ],
)
def test_files_are_matched_by_the_name_of_their_image(
    write: Write, found: str, true: str
) -> None:
    evaluation = score(write("found", **{found: TWO}), write("truth", **{true: THREE}))
    assert evaluation.scores[0].cell_count == 2
    assert evaluation.scores[0].true_cell_count == 3


def test_unmatched_images_are_named_and_refused(write: Write) -> None:
    found, truth = write("found", a=TWO, c=TWO), write("truth", a=TWO, b=TWO)
    with pytest.raises(ValueError, match="Without a prediction: b; without truth: c"):
        score(found, truth)


def test_an_image_that_is_left_out_counts_as_nothing_found(write: Write) -> None:
    found, truth = write("found", a=TWO), write("truth", a=TWO, hard=TWO)
    left_out = score(found, truth, missing_ok=True)
    write("found", hard=NONE)
    assert left_out.missing == ("hard",)
    assert left_out.pooled() == score(found, truth).pooled()
    assert left_out.pooled().seg == 0.5


def test_where_nothing_has_a_partner_missing_is_not_ok(write: Write) -> None:
    with pytest.raises(ValueError, match="No prediction has the name"):
        score(write("found", a=TWO), write("truth", b=TWO), missing_ok=True)


def test_a_folder_is_not_compared_with_itself(write: Write) -> None:
    with pytest.raises(ValueError, match="compared with itself"):
        score(write("truth", a=TWO), write("truth", a=TWO))


def test_our_labels_beside_the_truth_are_the_predictions(write: Write) -> None:
    folder = write("images", a_labels=TWO, a_mask=THREE, a=NONE)
    assert find_labels(folder, "predictions") == {"a": folder / "a_labels.tif"}
    assert find_labels(folder, "truth") == {"a": folder / "a_mask.tif"}
    assert score(folder, folder).count_bias == pytest.approx(-1 / 3)


def test_two_files_for_one_image_are_refused(write: Write) -> None:
    folder = write("truth", a_mask=TWO, a_masks=TWO)
    with pytest.raises(ValueError, match="are both for the image a"):
        open_truth(folder)


def test_images_of_different_shape_are_refused_by_name(write: Write) -> None:
    found, truth = write("found", a=TWO[:, :-1]), write("truth", a=TWO)
    with pytest.raises(ValueError, match=r"Image a cannot be scored.*\(24, 31\)"):
        score(found, truth)


def test_all_cells_weigh_the_same_in_one_number_and_all_images_in_the_other(
    write: Write,
) -> None:
    found = write("found", a=squares(4), b=NONE, c=NONE)
    evaluation = score(found, write("truth", a=squares(4), b=squares(1), c=NONE))
    assert evaluation.pooled().seg == evaluation.pooled().ap50 == 4 / 5
    assert evaluation.mean().seg == evaluation.mean().ap50 == 1 / 2


def test_errors_are_of_an_image_and_biases_of_all(write: Write) -> None:
    found = write("found", a=squares(3), b=squares(1), c=squares(1))
    evaluation = score(found, write("truth", a=TWO, b=TWO, c=NONE))
    assert evaluation.count_error == 0.5
    assert evaluation.count_bias == 5 / 4 - 1
    cell = 16 / NONE.size
    assert evaluation.confluence_error == pytest.approx(cell)
    assert evaluation.confluence_bias == pytest.approx(cell / 3)


def test_cells_found_where_there_are_none_make_an_image_the_worst(write: Write) -> None:
    found = write("found", a=NONE, b=TWO, c=TWO)
    evaluation = score(found, write("truth", a=NONE, b=THREE, c=NONE))
    assert [one.name for one in evaluation.worst_first()] == ["c", "b", "a"]


def test_the_challenge_judges_outlines_and_markers_apart(write: Write) -> None:
    write("01_GT/TRA", man_track000=THREE, man_track001=THREE)
    truth = write("01_GT/SEG", man_seg001=squares(1)).parent
    evaluation = score(write("01_RES", mask000=TWO, mask001=TWO), truth)
    pooled = evaluation.pooled()
    assert pooled.seg == 1
    assert pooled.det == pytest.approx(2 / 3)
    assert evaluation.count_error == pytest.approx(1 / 3)
    assert math.isnan(pooled.ap50)
    assert math.isnan(evaluation.confluence_error)


def test_frames_that_the_challenge_does_not_outline_are_no_error(write: Write) -> None:
    truth = write("01_GT/SEG", man_seg001=squares(1)).parent
    evaluation = score(write("01_RES", mask000=TWO, mask001=TWO), truth)
    assert evaluation.left_out == ("000",)
    assert evaluation.pooled().seg == 1
    assert math.isnan(evaluation.pooled().det)
    assert math.isnan(evaluation.true_cell_count)


@pytest.mark.parametrize(
    ("name", "measure", "score_"), [("01", "SEG", "0.232874"), ("03", "DET", "0.688000")]
)
def test_the_official_results_come_from_the_official_folders(
    shared_data: Path, name: str, measure: str, score_: str
) -> None:
    data = shared_data / "ctc_vectors" / "testing_dataset"
    evaluation = score(data / f"{name}_RES", data / f"{name}_GT")
    assert f"{summary(evaluation)[measure]:.6f}" == score_


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Run with two analyses: one finished, one of the first frame only."""
    path, run_plan = tmp_path / "run.ome.zarr", plan(RunShape(t=2))
    acquired_run(path, run_plan)
    for t in range(2):
        commit_cells(results_of(path, run_plan, "all"), FrameKey(t=t), 3)
    commit_cells(results_of(path, run_plan, "first"), FrameKey(), 2)
    return path


def test_a_store_meets_a_folder_frame_by_frame(store: Path, write: Write) -> None:
    truth = write("truth", t000_mask=THREE, t001_mask=TWO)
    evaluation = evaluate(open_predictions(store, "all"), open_truth(truth))
    assert [one.name for one in evaluation.scores] == ["000", "001"]
    assert evaluation.count_bias == pytest.approx(6 / 5 - 1)


def test_frames_without_a_result_are_missing(store: Path) -> None:
    found, truth = open_predictions(store, "first"), open_truth(store, "all")
    with pytest.raises(ValueError, match="Without a prediction: 001"):
        evaluate(found, truth)
    assert evaluate(found, truth, missing_ok=True).pooled().seg == pytest.approx(2 / 6)


def test_an_analysis_is_named_where_there_are_several(store: Path) -> None:
    with pytest.raises(ValueError, match="analyses all, first, and none is named"):
        open_truth(store)
    with pytest.raises(ValueError, match="'last' is not one of them"):
        open_predictions(store, "last")


def test_label_images_are_read_however_they_are_kept(tmp_path: Path) -> None:
    palette = Image.fromarray(THREE.astype(np.uint8), mode="P")
    palette.putpalette([255, 0, 0] * 256)
    palette.save(tmp_path / "palette.png")
    Image.fromarray(THREE.astype(np.uint16)).save(tmp_path / "deep.png")
    tifffile.imwrite(tmp_path / "float.tif", THREE.astype(np.float32))
    tifffile.imwrite(tmp_path / "plane.tif", THREE.astype(np.uint32)[None])
    for path in tmp_path.iterdir():
        assert np.array_equal(read_labels(path), THREE), path.name


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        ((THREE > 0).astype(np.uint8) * 255, "not from each other"),
        (THREE > 0, "not from each other"),
        (np.stack([THREE.astype(np.uint8)] * 3, axis=-1), r"has the shape \(24, 32, 3\)"),
        (THREE.astype(np.float32) / 2, "fractions"),
    ],
)
def test_what_is_no_label_image_is_refused(
    tmp_path: Path, pixels: Labels, said: str
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    with pytest.raises(ValueError, match=said):
        read_labels(tmp_path / "a.tif")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(ValueError, match=r"a\.png cannot be read as an image"):
        read_labels(tmp_path / "a.png")


@pytest.fixture
def evaluation(write: Write) -> Evaluation:
    """Three images: a good one, a bad one with a name to escape, one without cells."""
    found = write("found", good_labels=THREE, **{"<bad>_labels": TWO}, none_labels=NONE)
    truth = write("truth", good_mask=THREE, **{"<bad>_mask": THREE}, none_mask=NONE)
    tifffile.imwrite(found / "good.tif", np.full(NONE.shape, 7, dtype=np.uint8))
    return score(found, truth)


def test_the_table_has_a_line_for_each_image(evaluation: Evaluation) -> None:
    lines = table(evaluation)
    assert lines["image"].tolist() == ["<bad>", "good", "none"]
    assert lines["seg"].tolist() == pytest.approx([2 / 3, 1, math.nan], nan_ok=True)
    assert lines["count_error"].tolist() == pytest.approx(
        [-1 / 3, 0, math.nan], nan_ok=True
    )


def test_the_files_say_what_the_evaluation_says(
    tmp_path: Path, evaluation: Evaluation
) -> None:
    files = write_evaluation(tmp_path / "out", evaluation)
    told = json.loads(files.summary.read_text(), parse_constant=pytest.fail)
    assert told["SEG"] == evaluation.pooled().seg == pytest.approx(5 / 6)
    assert told["mean_over_images"]["SEG"] == pytest.approx((1 + 2 / 3) / 2)
    assert told["AP_by_IoU"]["0.95"] == pytest.approx(5 / 6)
    assert pd.read_csv(files.table)["cell_count"].tolist() == [2, 3, 0]


def test_the_page_needs_no_other_file_and_shows_the_worst_first(
    tmp_path: Path, evaluation: Evaluation
) -> None:
    page = write_evaluation(tmp_path / "out", evaluation).page.read_text()
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("data:image/png;base64,") == 3
    assert page.index("<h3>&lt;bad&gt;</h3>") < page.index("<h3>good</h3>")
    assert "<bad>" not in page


def test_the_page_says_which_images_have_no_prediction(
    tmp_path: Path, evaluation: Evaluation
) -> None:
    incomplete = replace(evaluation, missing=("good",))
    page = write_evaluation(tmp_path / "out", incomplete).page.read_text()
    assert "1 images have no prediction" in page


def test_a_comparison_has_a_colour_for_each_side_and_one_for_both() -> None:
    drawn = draw_comparison(
        np.arange(NONE.size).reshape(NONE.shape), THREE, squares(4) * (THREE != 1)
    )
    zoom = drawn.width // NONE.shape[1]
    corners = np.asarray(drawn.convert("RGB"))[zoom - 1 :: zoom, zoom - 1 :: zoom]
    assert corners[3, 3].tolist() == list(TRUTH_RGB)
    assert corners[3, 9].tolist() == list(BOTH_RGB)
    assert corners[3, 21].tolist() == list(FOUND_RGB)
