"""What is learnt from and what is held back."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.preprocess import grey, scale_to_unit
from samcell_live.training.finetune.images import TrainingImages, split_images
from samcell_live.training.finetune.settings import FinetuneSettings


def write_pair(folder: Path, name: str, labels: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{name}.png"), (labels * 50).astype(np.uint8))
    cv2.imwrite(str(folder / f"{name}_mask.png"), labels.astype(np.uint8))


def one_cell(side_px: int = 20) -> np.ndarray:
    labels = np.zeros((40, 40))
    labels[5 : 5 + side_px, 5 : 5 + side_px] = 1
    return labels


def names(images: TrainingImages) -> list[str]:
    return [image.name for image in images]


def test_every_fifth_image_is_held_back(settings: FinetuneSettings, tmp_path: Path) -> None:
    training, validation = split_images(settings.images, (), tmp_path)

    assert names(validation) == ["00", "05"]
    assert names(training) == ["01", "02", "03", "04"]


def test_parts_that_the_data_have_are_kept_apart(tmp_path: Path) -> None:
    for part in ("train", "val", "test"):
        write_pair(tmp_path / "cells" / part, part, one_cell())

    training, validation = split_images((tmp_path / "cells",), (), tmp_path / "kept")

    assert (names(training), names(validation)) == (["train"], ["val"])


def test_with_images_to_validate_on_none_is_held_back(
    settings: FinetuneSettings, tmp_path: Path
) -> None:
    write_pair(tmp_path / "others", "other", one_cell())

    training, validation = split_images(
        settings.images, (tmp_path / "others",), tmp_path / "kept"
    )

    assert len(training) == 6
    assert names(validation) == ["other"]


def test_images_are_scaled_as_the_segmenter_does_and_targets_are_distance_maps(
    settings: FinetuneSettings, images: TrainingImages
) -> None:
    pixels = cv2.imread(str(settings.images[0] / "01.png"), cv2.IMREAD_UNCHANGED)
    labels = cv2.imread(str(settings.images[0] / "01_mask.png"), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert labels is not None

    first = images[0]

    np.testing.assert_array_equal(first.image, scale_to_unit(grey(pixels)))
    expected = distance_map(labels.astype(np.int32))
    np.testing.assert_allclose(first.distance, expected, atol=1e-6)


def test_where_the_truth_says_nothing_the_target_is_unknown(tmp_path: Path) -> None:
    crowd = {"size": [40, 40], "counts": [0, 40 * 30, 40 * 10]}
    outline = [[32.0, 5.0, 38.0, 5.0, 38.0, 15.0, 32.0, 15.0]]
    described = {
        "images": [{"id": 1, "file_name": "a.png", "height": 40, "width": 40}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 1, "segmentation": crowd},
            {"id": 2, "image_id": 1, "category_id": 1, "segmentation": outline},
        ],
    }
    for name in ("train", "val"):
        (tmp_path / f"{name}.json").write_text(json.dumps(described))
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 40), np.uint8))

    image = split_images((tmp_path,), (), tmp_path / "kept").training[0]

    np.testing.assert_array_equal(np.isnan(image.distance[:, :30]), True)
    assert np.nanmax(image.distance[:, 30:]) == 1


def test_the_typical_cell_is_the_median_cell(tmp_path: Path) -> None:
    for side_px in (6, 10, 30):
        write_pair(tmp_path / "cells", f"{side_px:02d}", one_cell(side_px))
    write_pair(tmp_path / "others", "other", one_cell())

    training = split_images(
        (tmp_path / "cells",), (tmp_path / "others",), tmp_path / "kept"
    ).training

    assert training.cell_diameter_px == pytest.approx(2 * np.sqrt(100 / np.pi))


def test_one_image_cannot_be_learnt_from_and_held_back(tmp_path: Path) -> None:
    write_pair(tmp_path / "cells", "only", one_cell())

    with pytest.raises(ValueError, match=r"no cell to learn from in 0 images"):
        split_images((tmp_path / "cells",), (), tmp_path / "kept")


def test_masks_without_a_cell_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_pair(tmp_path / "cells", name, np.zeros((40, 40)))

    with pytest.raises(ValueError, match=r"no cell to learn from in 1 images"):
        split_images((tmp_path / "cells",), (), tmp_path / "kept")
