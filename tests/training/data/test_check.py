"""Whatever is wrong with labelled images is found and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from labelled_folders import (
    box,
    cell_tracking_folder,
    cellpose_folder,
    livecell_folder,
    noise,
    pairs_folder,
    two_cells,
    write_coco,
    write_marker,
)

from samcell_live.training.data.check import check_data, check_image
from samcell_live.training.data.findings import Finding, ImageReport, Kind
from samcell_live.training.data.formats import open_data
from samcell_live.training.data.label_faults import check_truth
from samcell_live.training.data.labelled import Truth

SMALLEST_PX = 10


def found(labels: npt.NDArray[Any], **about: Any) -> dict[Kind, Finding]:
    """Findings about a label image, by kind."""
    labels = labels.astype(np.int32)
    truth = Truth(labels, np.zeros(labels.shape, np.bool_), **about)
    return {finding.kind: finding for finding in check_truth(truth, SMALLEST_PX)}


def reports(folder: Path) -> list[ImageReport]:
    return list(check_data(open_data(folder)).images)


def kinds(report: ImageReport) -> set[Kind]:
    return {finding.kind for finding in report.findings}


def discs(*places: tuple[int, int, int], numbers: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """Discs of a row, a column and a radius, each with a number."""
    y, x = np.mgrid[:80, :120]
    labels = np.zeros((80, 120), dtype=np.int32)
    for (row, column, radius_px), number in zip(places, numbers, strict=True):
        labels[np.hypot(y - row, x - column) <= radius_px] = number
    return labels


@pytest.mark.parametrize(
    "make", [livecell_folder, cellpose_folder, cell_tracking_folder, pairs_folder]
)
def test_nothing_is_wrong_with_sound_data_of_any_format(tmp_path: Path, make: Any) -> None:
    report = check_data(open_data(make(tmp_path)))

    assert report.n_problems == 0
    assert report.images_by_kind() == {}
    assert {image.n_cells for image in report.images} == {2}


def test_two_cells_of_one_number_that_do_not_touch_are_found() -> None:
    labels = discs((20, 20, 10), (20, 90, 10), (60, 50, 9), numbers=(1, 1, 2))

    assert found(labels)[Kind.SEVERAL_PIECES] == Finding(
        Kind.SEVERAL_PIECES,
        1,
        "label 1: in several pieces; each cell needs a number of its own",
    )


@pytest.mark.parametrize("radius_px", [4, 10, 20])
def test_two_round_cells_of_one_number_that_touch_are_suspected(radius_px: int) -> None:
    first, second = (40, 30, radius_px), (40, 30 + 2 * radius_px, radius_px)

    assert Kind.WAIST in found(discs(first, second, numbers=(7, 7)))
    assert Kind.WAIST not in found(discs(first, second, numbers=(7, 8)))


@given(radius_px=st.integers(3, 30))
def test_one_round_cell_is_not_suspected(radius_px: int) -> None:
    assert set(found(discs((40, 60, radius_px), numbers=(1,)))) == set()


def test_one_long_cell_with_a_thin_middle_is_not_suspected() -> None:
    labels = discs((40, 20, 10), (40, 100, 10), numbers=(1, 1))
    labels[39:42, 20:100] = 1

    assert found(labels) == {}


def test_cells_that_meet_at_a_corner_with_one_number_are_suspected() -> None:
    labels = np.zeros((40, 40), dtype=np.int32)
    labels[5:15, 5:15] = labels[15:25, 15:25] = 1

    assert set(found(labels)) == {Kind.WAIST}


def test_a_detached_speck_is_only_worth_a_note() -> None:
    labels = discs((40, 40, 20), numbers=(1,))
    labels[2, 2] = 1

    (finding,) = found(labels).values()

    assert finding.kind == Kind.SPECKS
    assert not finding.kind.is_problem


def test_a_mask_of_zero_and_255_is_told_from_labels() -> None:
    labels = discs((20, 20, 10), (20, 90, 10), numbers=(255, 255))

    assert Kind.BINARY in found(labels)
    assert Kind.SEVERAL_PIECES not in found(labels)


def test_an_empty_mask_is_found() -> None:
    assert set(found(np.zeros((9, 9)))) == {Kind.NO_CELLS}


def test_tiny_cells_are_found() -> None:
    labels = two_cells()
    labels[50, 60:69] = 3

    assert found(labels)[Kind.TINY].detail == "label 3: smaller than 10 px"


def test_gaps_in_numbers_are_only_worth_a_note() -> None:
    finding = found(3 * two_cells())[Kind.GAPS]

    assert finding.count == 4
    assert not finding.kind.is_problem


def test_huge_numbers_are_named_as_they_are() -> None:
    labels = discs((20, 20, 10), (20, 90, 10), (60, 50, 9), numbers=(2**31 - 1,) * 2 + (5,))

    assert found(labels)[Kind.SEVERAL_PIECES].detail.startswith("label 2147483647: ")


def test_a_file_whose_numbers_are_all_used_up_is_found() -> None:
    labels = np.kron(np.arange(256).reshape(16, 16), np.ones((4, 4)))

    assert Kind.NUMBERS_FULL in found(labels, highest_possible=255)
    assert Kind.NUMBERS_FULL not in found(labels, highest_possible=65535)


def test_many_labels_are_counted_and_only_the_first_named() -> None:
    labels = np.zeros((20, 20), dtype=np.int32)
    labels[::2, ::4] = np.arange(1, 51).reshape(10, 5)

    assert found(labels)[Kind.TINY].detail.startswith("labels 1, 2, 3, 4, 5 and 45 more: ")


def test_objects_without_area_and_overlaps_of_coco_are_found(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(0))
    annotations = [box(5, 4, 8), box(9, 8, 8), [[1, 1, 2, 2]]]
    write_coco(
        tmp_path / "coco.json", ["a.tif"], *({"segmentation": a} for a in annotations)
    )

    (report,) = reports(tmp_path)

    counts = {finding.kind: finding.count for finding in report.findings}
    assert counts == {Kind.ZERO_AREA: 1, Kind.OVERLAP: 16}


def test_a_cell_that_others_cut_in_two_is_only_worth_a_note() -> None:
    labels = discs((40, 40, 20), numbers=(1,))
    labels[:, 35:45] = 2

    assert Kind.SEVERAL_PIECES in found(labels)
    assert Kind.CUT in found(labels, n_overlapping_px=400)
    assert not Kind.CUT.is_problem


def test_a_crowd_is_only_worth_a_note(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(0))
    crowd = {"segmentation": box(30, 20, 8), "iscrowd": 1}
    write_coco(tmp_path / "coco.json", ["a.tif"], {"segmentation": box(5, 4, 8)}, crowd)

    (report,) = reports(tmp_path)

    assert [finding.kind for finding in report.findings] == [Kind.IGNORED]
    assert report.problems == ()


def test_cells_that_gold_truth_leaves_out_are_counted(tmp_path: Path) -> None:
    folder = cell_tracking_folder(tmp_path)
    write_marker(folder, "01", 40, 60)

    assert Kind.UNMARKED in kinds(reports(folder)[0])


@pytest.mark.parametrize(
    ("shape", "words"),
    [((9, 11), r"image (52, 70), mask (9, 11)"), ((70, 52), "as if turned by 90 degrees")],
)
def test_a_mask_that_does_not_fit_its_image_is_found(
    tmp_path: Path, shape: tuple[int, int], words: str
) -> None:
    folder = pairs_folder(tmp_path)
    cv2.imwrite(str(folder / "00_mask.png"), two_cells((80, 80))[: shape[0], : shape[1]])

    (finding,) = reports(folder)[0].problems

    assert finding.kind == Kind.SHAPE_MISMATCH
    assert words in finding.detail


@pytest.mark.parametrize("name", ["00.png", "00_mask.png"])
def test_a_file_that_cannot_be_read_is_named_and_stops_no_other(
    tmp_path: Path, name: str
) -> None:
    folder = pairs_folder(tmp_path)
    (folder / name).write_bytes(b"damaged")

    first, second = reports(folder)

    (finding,) = first.problems
    assert finding.kind == Kind.UNREADABLE
    assert str(folder / name) in finding.detail
    assert second.findings == ()


def test_pixels_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path)
    (folder / "00.png").unlink()
    pixels = noise(0).astype(np.float32)
    pixels[3, 4:7] = np.nan
    tifffile.imwrite(folder / "00.tif", pixels)

    assert (
        Finding(Kind.NOT_FINITE, 3, "px are NaN or infinite") in reports(folder)[0].findings
    )


def test_an_image_of_one_grey_is_found(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path)
    cv2.imwrite(str(folder / "00.png"), np.full((52, 70), 7, np.uint8))

    assert kinds(reports(folder)[0]) == {Kind.BLANK}


def test_an_image_without_a_mask_is_reported(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path)
    (folder / "01_mask.png").unlink()

    assert [kinds(report) for report in reports(folder)] == [set(), {Kind.NO_TRUTH}]


def test_an_image_that_is_there_twice_is_found_whatever_its_name_and_format(
    tmp_path: Path,
) -> None:
    folder = pairs_folder(tmp_path)
    tifffile.imwrite(folder / "copy.tif", noise(1))
    cv2.imwrite(str(folder / "copy_mask.png"), two_cells())

    first, second, copy = reports(folder)

    assert (kinds(first), kinds(second), kinds(copy)) == (
        set(),
        {Kind.DUPLICATE},
        {Kind.DUPLICATE},
    )
    assert "same pixels as 01 (all)" in copy.findings[0].detail


def test_an_image_on_both_sides_of_a_split_is_a_leak(tmp_path: Path) -> None:
    folder = cellpose_folder(tmp_path)
    for end in ("img", "masks"):
        (folder / "train" / f"001_{end}.png").rename(folder / "test" / f"001_{end}.png")
        leaked = (folder / "test" / f"001_{end}.png").read_bytes()
        (folder / "train" / f"009_{end}.png").write_bytes(leaked)

    leaks = [image.name for image in reports(folder) if Kind.LEAK in kinds(image)]

    assert leaks == ["009", "001"]


def test_touching_nuclei_of_one_number_are_found_in_real_data(shared_data: Path) -> None:
    images = {image.name: image for image in open_data(shared_data / "dsb2018").images}

    assert Kind.WAIST in kinds(check_image(images["010"]))
    assert kinds(check_image(images["011"])) == set()
