"""Labelled images are read in pairs, and what does not fit is named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from samcell_live.training.fields import make_field, read_fields


def test_images_are_read_with_their_masks(image_folder: Path) -> None:
    fields = read_fields(image_folder)

    assert [field.name for field in fields] == ["00", "01"]
    assert all(field.image.shape == field.labels.shape for field in fields)
    assert all(np.array_equal(field.distance > 0, field.labels > 0) for field in fields)


def test_labels_of_sixteen_bits_are_kept(tmp_path: Path) -> None:
    labels = np.full((4, 5), 40_000, np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), np.arange(20, dtype=np.uint16).reshape(4, 5))
    cv2.imwrite(str(tmp_path / "a_mask.png"), labels)

    assert set(read_fields(tmp_path)[0].labels.ravel()) == {40_000}


def test_a_folder_without_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no NAME_mask\.png"):
        read_fields(tmp_path)


def test_a_mask_without_its_image_is_refused(image_folder: Path) -> None:
    (image_folder / "01.png").unlink()

    with pytest.raises(ValueError, match=r"01\.png is missing or no image"):
        read_fields(image_folder)


def test_a_mask_of_another_size_is_refused(image_folder: Path) -> None:
    cv2.imwrite(str(image_folder / "01_mask.png"), np.zeros((5, 6), np.uint16))

    with pytest.raises(ValueError, match=r"01 has a mask of shape \(5, 6\).*\(64, 64\)"):
        read_fields(image_folder)


def test_the_cell_diameter_is_that_of_the_median_cell() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[:10, :10], labels[20:30, :10], labels[20:24, 30:34] = 1, 2, 3
    field = make_field("squares", labels, labels)
    assert field.typical_diameter_px == pytest.approx(2 * np.sqrt(100 / np.pi))
