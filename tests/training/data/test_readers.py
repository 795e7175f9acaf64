"""Every format is recognised, and read as its makers meant it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
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

from samcell_live.training.data.formats import open_data
from samcell_live.training.data.labelled import LabelledImage, read_pair


def names(images: tuple[LabelledImage, ...]) -> list[str]:
    return [image.name for image in images]


def assert_two_cells(image: LabelledImage) -> None:
    """The image is that of its file, and the labels those of `two_cells`."""
    pixels, truth = read_pair(image)
    np.testing.assert_array_equal(truth.labels, two_cells(pixels.shape[:2]))


def test_livecell_has_three_parts(tmp_path: Path) -> None:
    data = open_data(livecell_folder(tmp_path))

    assert data.splits == ("train", "val", "test")
    for number, image in enumerate(data.images):
        assert image.name == f"A172_Phase_A7_1_00d0{number}h00m_1"
        np.testing.assert_array_equal(image.read_pixels(), noise(number))
        assert_two_cells(image)


def test_one_coco_file_can_be_named(tmp_path: Path) -> None:
    folder = livecell_folder(tmp_path) / "annotations" / "LIVECell"

    data = open_data(folder / "livecell_coco_val.json")

    assert data.splits == ("val",)
    assert_two_cells(data.images[0])


def test_an_image_that_livecell_lists_twice_keeps_both_truths_apart(tmp_path: Path) -> None:
    write_coco(
        tmp_path / "coco.json",
        ["a.tif", "a.tif"],
        {"segmentation": box(5, 4, 8)},
        {"segmentation": box(30, 20, 8), "image_id": 2},
    )

    first, second = open_data(tmp_path).images

    assert (first.name, second.name) == ("a", "a (entry 2)")
    assert first.read_truth().labels[5, 6] == second.read_truth().labels[21, 31] == 1
    assert second.read_truth().labels[5, 6] == 0


def test_annotations_may_be_listed_by_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "livecell_a172_train.json"
    write_coco(path, ["a.png"], {"segmentation": box(5, 4, 8)})
    contents = json.loads(path.read_text())
    contents["annotations"] = {str(one["id"]): one for one in contents["annotations"]}
    path.write_text(json.dumps(contents))

    assert open_data(tmp_path).images[0].read_truth().labels[5, 6] == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"images": []}', '{"images": 1}'])
def test_what_is_no_coco_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "coco.json"
    path.write_text(text)

    with pytest.raises(ValueError, match=r"coco\.json is no COCO file"):
        open_data(path)


def test_an_annotation_without_its_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "coco.json"
    path.write_text('{"images": [], "annotations": [{"segmentation": []}]}')

    with pytest.raises(ValueError, match=r"is no complete COCO file"):
        open_data(path)


def test_two_coco_files_of_one_part_are_refused(tmp_path: Path) -> None:
    for name in ("a_train.json", "b_train.json"):
        write_coco(tmp_path / name, ["a.tif"])

    with pytest.raises(ValueError, match=r"several COCO files of one part: a_train"):
        open_data(tmp_path)


def test_cellpose_has_two_parts_with_images_of_any_size(tmp_path: Path) -> None:
    data = open_data(cellpose_folder(tmp_path))

    assert data.format == "Cellpose folder"
    assert names(data.of_split("train")) == ["000", "001"]
    assert names(data.of_split("test")) == ["002"]
    assert [i.read_pixels().shape for i in data.images] == [
        (48 + 8 * n, 64, 3) for n in range(3)
    ]
    for image in data.images:
        assert_two_cells(image)


def test_colours_are_red_green_and_blue(tmp_path: Path) -> None:
    folder = cellpose_folder(tmp_path)

    pixels = open_data(folder).images[0].read_pixels()

    np.testing.assert_array_equal(pixels[..., ::-1], noise(0, pixels.shape))


@pytest.mark.parametrize(
    "mask", ["_masks.tif", "_cp_masks.png", "_mask.png", "_labels.tif"]
)
def test_masks_that_programs_save_beside_an_image_are_found(
    tmp_path: Path, mask: str
) -> None:
    tifffile.imwrite(tmp_path / "dish.tif", noise(0))
    cv2.imwrite(str(tmp_path / f"dish{mask}"), two_cells())
    cv2.imwrite(str(tmp_path / "dish_overlay.png"), noise(1))

    data = open_data(tmp_path)

    assert names(data.images) == ["dish"]
    assert data.without_truth == ()
    assert_two_cells(data.images[0])


def test_an_image_without_a_mask_is_named(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path)
    (folder / "01_mask.png").unlink()

    assert open_data(folder).without_truth == ("01.png",)


def test_a_mask_without_its_image_is_an_error_when_it_is_read(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path)
    (folder / "01.png").unlink()

    with pytest.raises(ValueError, match=r"01\.png is missing or no image"):
        open_data(folder).images[1].read_pixels()


def test_a_mask_of_another_size_is_refused_with_its_image(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path)
    cv2.imwrite(str(folder / "00_mask.png"), np.zeros((5, 6), np.uint16))

    with pytest.raises(ValueError, match=r"00 has a mask of shape \(5, 6\).*\(52, 70\)"):
        read_pair(open_data(folder).images[0])


def test_frames_of_the_cell_tracking_challenge_are_parted_by_sequence(
    tmp_path: Path,
) -> None:
    data = open_data(cell_tracking_folder(tmp_path))

    assert names(data.of_split("01")) == ["01/t001"]  # gold: one frame of three
    assert names(data.of_split("02")) == ["02/t000", "02/t001", "02/t002"]
    for image in data.images:
        assert_two_cells(image)
    np.testing.assert_array_equal(data.images[0].read_pixels(), noise(11))


def test_sparse_gold_truth_says_nothing_outside_of_its_cells(tmp_path: Path) -> None:
    folder = cell_tracking_folder(tmp_path)
    write_marker(folder, "01", 40, 60)

    truth = open_data(folder).images[0].read_truth()

    assert truth.n_unmarked == 1
    np.testing.assert_array_equal(truth.ignored, truth.labels == 0)


def test_silver_truth_says_nothing_where_a_marker_has_no_cell(tmp_path: Path) -> None:
    folder = cell_tracking_folder(tmp_path)
    write_marker(folder, "02", 40, 60)

    truth = open_data(folder).of_split("02")[1].read_truth()

    assert truth.n_unmarked == 1
    assert np.argwhere(truth.ignored).tolist() == [[40, 60], [40, 61], [41, 60], [41, 61]]


def test_gold_truth_that_has_every_cell_is_complete(tmp_path: Path) -> None:
    folder = cell_tracking_folder(tmp_path)
    write_marker(folder, "01", 22, 33)  # a second marker in the second cell

    truth = open_data(folder).images[0].read_truth()

    assert truth.n_unmarked == 0
    assert not truth.ignored.any()


def test_volumes_of_the_cell_tracking_challenge_are_refused(tmp_path: Path) -> None:
    folder = cell_tracking_folder(tmp_path)
    masks = folder / "01_GT" / "SEG"
    (masks / "man_seg001.tif").rename(masks / "man_seg_001_004.tif")

    with pytest.raises(ValueError, match=r"man_seg_001_004\.tif is a slice of a volume"):
        open_data(folder)


def test_real_folders_are_recognised(shared_data: Path) -> None:
    usiigaci = open_data(shared_data / "usiigaci")
    tracking = open_data(shared_data / "ctc_vectors" / "testing_dataset")

    assert (usiigaci.splits, len(usiigaci.images)) == (("train", "val"), 50)
    assert read_pair(usiigaci.images[0])[1].labels.max() > 0
    assert (tracking.format, len(tracking.images)) == ("Cell Tracking Challenge", 18)
    assert tracking.images[0].read_truth().labels.max() > 0


def test_a_folder_of_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no NAME_mask\.png.*NAME_masks\.png"):
        open_data(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere does not exist"):
        open_data(tmp_path / "nowhere")


def test_a_part_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no part 'val', but train, test"):
        open_data(cellpose_folder(tmp_path)).of_split("val")


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    folder = livecell_folder(tmp_path)
    shutil.rmtree(folder / "images")

    data = open_data(folder)

    assert len(data.images) == 3
    with pytest.raises(ValueError, match=r"h00m_1\.tif is missing"):
        data.images[0].read_pixels()
