"""A distance map is predicted once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from segmenters import CENTRES, blobs, sees_brightness

from samcell_live.segmentation.segmenter import Segmenter
from samcell_live.settings import SegmentationSettings
from samcell_live.training.tuning.maps import DistanceMaps

IMAGE = blobs(CENTRES)


@pytest.fixture
def predicted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of the images that went through a network."""
    shapes = []
    predict = Segmenter.predict_distance

    def remember(
        self: Segmenter, pixels: npt.NDArray[np.uint16], pixel_size_um: float
    ) -> npt.NDArray[np.float32]:
        shapes.append(pixels.shape)
        return predict(self, pixels, pixel_size_um)

    monkeypatch.setattr(Segmenter, "predict_distance", remember)
    return shapes


def test_the_second_time_it_comes_from_disk(
    tmp_path: Path, predicted: list[tuple[int, ...]]
) -> None:
    first = DistanceMaps(sees_brightness(), tmp_path)(IMAGE)
    again = DistanceMaps(sees_brightness(), tmp_path)(IMAGE)

    assert predicted == [IMAGE.shape]
    np.testing.assert_array_equal(first, again)


def test_it_is_the_networks_map_in_two_bytes_a_pixel(tmp_path: Path) -> None:
    kept = DistanceMaps(sees_brightness(), tmp_path)(IMAGE)

    np.testing.assert_allclose(kept, sees_brightness().predict_distance(IMAGE), atol=1e-5)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size < 2 * IMAGE.size + 200


def test_another_image_or_scale_is_another_map(
    tmp_path: Path, predicted: list[tuple[int, ...]]
) -> None:
    scaled = SegmentationSettings(cell_diameter_um=10)
    DistanceMaps(sees_brightness(), tmp_path)(IMAGE)
    DistanceMaps(sees_brightness(), tmp_path)(IMAGE[::-1])
    DistanceMaps(sees_brightness(scaled), tmp_path, 0.8)(IMAGE)
    DistanceMaps(sees_brightness(scaled), tmp_path, 0.9)(IMAGE)

    assert len(predicted) == 4


def test_thresholds_do_not_matter_to_a_map(
    tmp_path: Path, predicted: list[tuple[int, ...]]
) -> None:
    DistanceMaps(sees_brightness(), tmp_path)(IMAGE)
    DistanceMaps(sees_brightness(SegmentationSettings(peak_threshold=0.9)), tmp_path)(IMAGE)

    assert len(predicted) == 1
