"""Data are prepared once, survive being killed, and follow their sources."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_folders import (
    cellpose_folder,
    livecell_folder,
    noise,
    pairs_folder,
    two_cells,
)

from samcell_live.segmentation.distance import distance_map
from samcell_live.training.data.crops import random_crop
from samcell_live.training.data.formats import open_data
from samcell_live.training.data.prepared import INDEX, Preparation, PreparedData
from samcell_live.training.data.preparing import prepare


def prepared_pairs(tmp_path: Path, fit_px: int | None = None) -> PreparedData:
    data = open_data(pairs_folder(tmp_path))
    return prepare(data, tmp_path / "cache", Preparation(fit_px=fit_px))


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_images_labels_and_their_distance_maps_are_kept(tmp_path: Path) -> None:
    data = prepared_pairs(tmp_path)

    for number, image in enumerate(data.images):
        arrays = data.read(image)
        assert (image.name, image.n_cells, image.n_lost) == (f"{number:02d}", 2, 0)
        np.testing.assert_array_equal(arrays.pixels, noise(number))
        np.testing.assert_array_equal(arrays.labels, two_cells())
        np.testing.assert_array_equal(arrays.distance, distance_map(two_cells()))
        assert not arrays.ignored.any()


def test_distance_is_computed_after_resizing(tmp_path: Path) -> None:
    data = prepared_pairs(tmp_path, fit_px=140)
    image = data.images[0]

    arrays = data.read(image)

    assert (image.height_px, image.width_px) == (104, 140)
    assert arrays.labels.shape == (140, 140)
    np.testing.assert_array_equal(arrays.distance, distance_map(arrays.labels))
    assert arrays.distance[arrays.labels == 1].max() == 1


def test_cells_that_resizing_loses_are_counted(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path)
    labels = two_cells()
    labels[50, 69] = 3
    cv2.imwrite(str(folder / "00_mask.png"), labels)

    data = prepare(open_data(folder), tmp_path / "cache", Preparation(fit_px=35))

    assert [(image.n_cells, image.n_lost) for image in data.images] == [(2, 1), (2, 0)]


def test_images_of_several_sizes_and_parts_are_kept_together(tmp_path: Path) -> None:
    data = prepare(open_data(cellpose_folder(tmp_path)), tmp_path / "cache")

    assert [image.height_px for image in data.of_split("train")] == [48, 56]
    assert [image.height_px for image in data.of_split("test")] == [64]
    assert data.read(data.images[0]).pixels.dtype == np.float32  # luminance of colours


def test_a_window_is_a_part_of_the_whole(tmp_path: Path) -> None:
    data = prepared_pairs(tmp_path)
    window = (slice(8, 30), slice(10, 33))

    part = data.read(data.images[0], window)

    for whole, cut in zip(data.read(data.images[0]), part, strict=True):
        np.testing.assert_array_equal(whole[window], cut)


def test_the_same_data_are_not_prepared_again(tmp_path: Path) -> None:
    first = prepared_pairs(tmp_path)
    before = times(first.folder)

    again = prepare(open_data(tmp_path / "pairs"), tmp_path / "cache")

    assert again.folder == first.folder
    assert times(again.folder) == before


def test_a_changed_mask_is_prepared_anew(tmp_path: Path) -> None:
    first = prepared_pairs(tmp_path)
    mask = tmp_path / "pairs" / "00_mask.png"
    os.utime(mask, ns=(1, 1))

    again = prepare(open_data(tmp_path / "pairs"), tmp_path / "cache")

    assert again.folder != first.folder


def test_other_settings_are_another_preparation(tmp_path: Path) -> None:
    first = prepared_pairs(tmp_path)

    other = prepare(
        open_data(tmp_path / "pairs"), tmp_path / "cache", Preparation(fit_px=64)
    )

    assert other.folder != first.folder


def test_what_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = prepared_pairs(tmp_path)
    (whole.folder / INDEX).unlink()
    (whole.folder / "000001.json").unlink()  # killed between an image and its row
    (whole.folder / "000001.npy").write_bytes(b"torn")
    kept = times(whole.folder)["000000.npy"]

    again = prepare(open_data(tmp_path / "pairs"), tmp_path / "cache")

    assert times(again.folder)["000000.npy"] == kept
    np.testing.assert_array_equal(again.read(again.images[1]).pixels, noise(1))


def test_what_is_incomplete_is_not_read(tmp_path: Path) -> None:
    data = prepared_pairs(tmp_path)
    (data.folder / INDEX).unlink()

    with pytest.raises(ValueError, match=r"is no complete prepared data of version 1"):
        PreparedData(data.folder)


def test_a_preparation_of_another_version_is_not_read(tmp_path: Path) -> None:
    data = prepared_pairs(tmp_path)
    index = data.folder / INDEX
    index.write_text(index.read_text().replace('"version": 1', '"version": 0'))

    with pytest.raises(ValueError, match=r"is no complete prepared data of version 1"):
        PreparedData(data.folder)


def test_an_image_that_cannot_be_read_ends_it_by_name(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path)
    (folder / "01.png").write_bytes(b"no image")

    with pytest.raises(ValueError, match=r"01 cannot be prepared: .*data check names all"):
        prepare(open_data(folder), tmp_path / "cache")


def test_progress_is_told_for_each_image(tmp_path: Path) -> None:
    told: list[int] = []

    prepare(open_data(livecell_folder(tmp_path)), tmp_path / "cache", on_image=told.append)

    assert told == [1, 2, 3]


def test_crops_are_the_same_for_the_same_seed_and_stay_inside(tmp_path: Path) -> None:
    data = prepared_pairs(tmp_path, fit_px=140)
    image = data.images[0]

    crops = [
        random_crop(data, image, 64, np.random.default_rng(seed)) for seed in (1, 1, 2)
    ]

    np.testing.assert_array_equal(crops[0].pixels, crops[1].pixels)
    assert not np.array_equal(crops[0].pixels, crops[2].pixels)
    assert all(part.shape == (64, 64) for crop in crops for part in crop)
    assert not any(crop.ignored.any() for crop in crops)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    """Two images of 52 x 70 px."""
    return prepared_pairs(tmp_path_factory.mktemp("small"))


@given(side_px=st.integers(1, 90), seed=st.integers(0, 99))
def test_a_crop_of_any_side_is_padded_where_the_image_ends(
    small: PreparedData, side_px: int, seed: int
) -> None:
    crop = random_crop(small, small.images[0], side_px, np.random.default_rng(seed))

    assert {part.shape for part in crop} == {(side_px, side_px)}
    assert np.count_nonzero(~crop.ignored) == min(side_px, 52) * min(side_px, 70)
    assert np.array_equal(crop.distance > 0, crop.labels > 0)
