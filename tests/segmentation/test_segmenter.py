"""One path from pixels to cells for either network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from segmenters import CENTRES, blobs, sees_brightness
from torch import Tensor, nn

from samcell_live.segmentation.inference import choose_device
from samcell_live.segmentation.preprocess import grey, scale_to_unit
from samcell_live.segmentation.reference import centroid_markers
from samcell_live.segmentation.reference_network import ReferenceTiling
from samcell_live.segmentation.segmenter import Segmenter, load_segmenter
from samcell_live.settings import SegmentationSettings


def test_cells_are_found_where_they_are() -> None:
    result = sees_brightness()(blobs(CENTRES))

    assert result.labels.dtype == np.int32
    assert result.labels.max() == len(CENTRES)
    assert len({int(result.labels[centre]) for centre in CENTRES}) == len(CENTRES)


def test_tiles_leave_no_seam_in_the_distance_map() -> None:
    image = blobs(CENTRES)

    distance = sees_brightness().predict_distance(image)

    unit = scale_to_unit(grey(image))
    np.testing.assert_allclose(distance, 1 / (1 + np.exp(-8 * (unit - 0.5))), atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (33, 65), (200, 31)])
def test_labels_return_on_the_images_own_pixels(shape: tuple[int, int]) -> None:
    result = sees_brightness()(np.zeros(shape, np.uint8))

    assert result.labels.shape == result.distance.shape == shape
    assert result.distance.dtype == np.float32


def test_a_cell_diameter_resizes_and_returns_on_the_original_grid() -> None:
    seen: list[tuple[int, ...]] = []

    def remember(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        seen.append(image.shape)
        return scale_to_unit(image)

    settings = SegmentationSettings(cell_diameter_um=40)
    model = replace(sees_brightness()._model, prepare=remember)

    result = Segmenter(model, settings, torch.device("cpu"))(blobs(CENTRES), 2.0)

    assert seen == [(45, 75)]
    assert result.labels.shape == (90, 150)
    assert result.labels.max() == len(CENTRES)


@pytest.mark.parametrize("setting", ["cell_diameter_um", "min_area_um2"])
@pytest.mark.parametrize("pixel_size_um", [float("nan"), 0.0])
def test_a_size_in_micrometres_needs_the_pixel_size(
    setting: str, pixel_size_um: float
) -> None:
    segmenter = sees_brightness(SegmentationSettings.model_validate({setting: 20}))

    with pytest.raises(ValueError, match=rf"{setting} is 20.*pixel size is (nan|0\.0) um"):
        segmenter(blobs(CENTRES), pixel_size_um)


def test_small_cells_are_dropped_by_their_area_in_micrometres() -> None:
    image = np.maximum(blobs([(40, 40)]), blobs([(40, 100)], radius_px=4))

    assert sees_brightness()(image).labels.max() == 2
    fewer = sees_brightness(SegmentationSettings(min_area_um2=400))(image, 2.0)
    assert fewer.labels.max() == 1


def test_thresholds_are_the_models_own_unless_set() -> None:
    assert sees_brightness().making.settings["peak_threshold"] == 0.6
    chosen = SegmentationSettings(peak_threshold=0.9, fill_threshold=0.0)
    settings = sees_brightness(chosen).making.settings
    assert (settings["peak_threshold"], settings["fill_threshold"]) == (0.9, 0.0)


def test_one_threshold_alone_must_still_fit_the_models_other() -> None:
    with pytest.raises(ValueError, match=r"peak 0\.1 and fill 0\.2"):
        sees_brightness(SegmentationSettings(peak_threshold=0.1))


def test_a_prominence_parts_cells_that_are_one_region() -> None:
    low = SegmentationSettings(peak_threshold=0.04, fill_threshold=0.03)
    prominent = low.model_copy(update={"prominence": 0.3})

    assert sees_brightness(low)(blobs(CENTRES)).labels.max() == len(CENTRES) - 1
    assert sees_brightness(prominent)(blobs(CENTRES)).labels.max() == len(CENTRES)
    assert sees_brightness(prominent).making.settings["prominence"] == 0.3
    assert sees_brightness().making.settings["prominence"] == 0


class SeesBetterOnTheLeft(nn.Module):
    """Says of a bright pixel that it is the deeper, the farther left it lies."""

    def forward(self, tiles: Tensor) -> Tensor:
        return 8 * tiles * torch.linspace(1, 0.5, tiles.shape[-1]) - 4


@pytest.mark.parametrize("finds_diameters", [False, True])
def test_an_image_is_looked_at_upside_down_too_where_asked_for(
    finds_diameters: bool,
) -> None:
    model = replace(
        sees_brightness()._model,
        network=SeesBetterOnTheLeft(),
        finds_diameters=finds_diameters,
    )
    image = blobs(CENTRES)

    def predict(
        image: npt.NDArray[np.uint16], *, half_turn: bool
    ) -> npt.NDArray[np.float32]:
        settings = SegmentationSettings(half_turn=half_turn)
        return Segmenter(model, settings, torch.device("cpu")).predict_distance(image)

    plain = predict(image, half_turn=False)
    turned = predict(image[::-1, ::-1], half_turn=False)[::-1, ::-1]
    assert np.abs(plain - turned).max() > 0.1
    np.testing.assert_allclose(
        predict(image, half_turn=True), (plain + turned) / 2, atol=1e-6
    )


def test_the_starter_turns_images_unless_told_otherwise() -> None:
    assert Segmenter.from_name("starter", "cpu").making.settings["half_turn"] is True
    plain = Segmenter.from_name("starter", "cpu", half_turn=False)
    assert plain.making.settings["half_turn"] is False
    assert sees_brightness().making.settings["half_turn"] is False


@pytest.mark.parametrize(
    ("capability", "expected"), [("avx512_bf16", "bfloat16"), ("avx2", "float32")]
)
def test_the_starter_takes_bfloat16_where_a_cpu_computes_in_it(
    capability: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {capability: True})

    assert Segmenter.from_name("starter", "cpu").making.precision == expected
    exact = Segmenter.from_name("starter", "cpu", precision="float32")
    assert exact.making.precision == "float32"
    assert sees_brightness().making.precision == "float32"


def test_a_failing_network_is_an_error_and_not_an_empty_dish() -> None:
    segmenter = sees_brightness()
    segmenter._model.network.gain.data = torch.zeros(3)

    with pytest.raises(RuntimeError):
        segmenter(blobs(CENTRES))


def test_a_map_that_is_no_number_is_an_error() -> None:
    segmenter = sees_brightness()
    segmenter._model.network.gain.data = torch.tensor(float("nan"))

    with pytest.raises(ValueError, match=r"NaN"):
        segmenter(blobs(CENTRES))


def test_the_starter_in_the_package_loads_and_says_what_it_is() -> None:
    making = load_segmenter(SegmentationSettings()).making

    assert making.model == making.network == "starter"
    assert len(making.weights_sha256) == 64
    assert making.package.startswith("samcell_live ")


def test_a_starter_file_brings_its_own_thresholds(tiny_starter: Path) -> None:
    segmenter = load_segmenter(SegmentationSettings(model=str(tiny_starter)))

    assert (segmenter.peak_threshold, segmenter.fill_threshold) == (0.6, 0.2)
    assert segmenter(blobs(CENTRES)).labels.shape == (90, 150)


def test_samcell_weights_use_the_papers_thresholds(
    tmp_path: Path, tiny_sam: dict[str, Tensor]
) -> None:
    path = tmp_path / "sam.pth"
    torch.save(tiny_sam, path)

    segmenter = load_segmenter(SegmentationSettings(model=str(path)))

    assert (segmenter.peak_threshold, segmenter.fill_threshold) == (0.47, 0.09)
    assert segmenter.making.network == "samcell-vit_32x2"
    assert segmenter(blobs(CENTRES, shape=(40, 50))).labels.shape == (40, 50)


def test_the_device_auto_is_always_there() -> None:
    assert choose_device("auto").type in {"cuda", "mps", "cpu"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"device cuda is not available.*cpu"):
        load_segmenter(SegmentationSettings(device="cuda"))


def test_a_device_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'gpu0' is no device.*cpu"):
        choose_device("gpu0")


def any_image(dtype: Any) -> npt.NDArray[Any]:
    return blobs(CENTRES).astype(dtype)


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64])
def test_the_number_type_does_not_change_the_cells(dtype: Any) -> None:
    expected = sees_brightness()(blobs(CENTRES)).labels

    np.testing.assert_array_equal(sees_brightness()(any_image(dtype)).labels, expected)


def test_a_colour_image_is_segmented_by_its_luminance() -> None:
    image = blobs(CENTRES)
    expected = sees_brightness()(image).labels

    for channels in (1, 3, 4):
        colour = np.repeat(image[..., None], channels, axis=2)
        np.testing.assert_array_equal(sees_brightness()(colour).labels, expected)


def test_by_name_settings_come_along() -> None:
    segmenter = Segmenter.from_name("starter", device="cpu", peak_threshold=0.8)

    assert segmenter.peak_threshold == 0.8
    assert segmenter.making.network == "starter"


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="peek_threshold"):
        Segmenter.from_name("starter", peek_threshold=0.8)


def test_the_reference_preset_is_samcells_alone() -> None:
    with pytest.raises(ValueError, match=r"preset reference.*starter network"):
        Segmenter.from_name("starter", preset="reference")


def test_the_reference_preset_takes_its_own_tiles_and_markers(
    tmp_path: Path, tiny_sam: dict[str, Tensor]
) -> None:
    path = tmp_path / "sam.pth"
    torch.save(tiny_sam, path)
    settings = SegmentationSettings(model=str(path), preset="reference")

    model = load_segmenter(settings)._model

    assert isinstance(model.tiling, ReferenceTiling)
    assert model.markers is centroid_markers
    assert (model.peak_threshold, model.fill_threshold) == (0.47, 0.09)


def test_border_cells_and_holes_are_left_alone_unless_asked_for() -> None:
    image = np.maximum(blobs(CENTRES), blobs([(0, 60)]))

    assert sees_brightness()(image).labels.max() == len(CENTRES) + 1
    dropping = sees_brightness(SegmentationSettings(drop_border_cells=True))
    assert dropping(image).labels.max() == len(CENTRES)


def test_holes_in_a_cell_are_filled_where_asked_for() -> None:
    image = blobs([(40, 40)], radius_px=20)
    image[40:43, 45:48] = 400

    assert sees_brightness()(image).labels[41, 46] == 0
    filling = sees_brightness(SegmentationSettings(fill_holes=True))
    assert filling(image).labels[41, 46] == 1
