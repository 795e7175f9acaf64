from __future__ import annotations

import gc
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from samcell_live.culture.quality import Appearance, cell_likeness, image_quality
from samcell_live.records import Labels, Pixels

SIDE = 384


def camera(
    light: npt.ArrayLike, noise_counts: float = 20, shape: tuple[int, int] = (SIDE, SIDE)
) -> Pixels:
    rng = np.random.default_rng(7)
    counts = np.asarray(light) + rng.normal(0, noise_counts, shape)
    return np.clip(counts, 0, 65535).astype(np.uint16)


def culture(n_cells: int = 60) -> tuple[Pixels, Labels]:
    """Dark round cells with bright rims on a grey background."""
    rng = np.random.default_rng(2)
    light = np.full((SIDE, SIDE), 1500.0)
    labels = np.zeros((SIDE, SIDE), dtype=np.int32)
    for number, centre in enumerate(rng.integers(12, SIDE - 12, (n_cells, 2)), start=1):
        at = (int(centre[1]), int(centre[0]))
        cv2.circle(labels, at, 9, number, -1)
        cv2.circle(light, at, 8, 1300, -1)
        cv2.circle(light, at, 9, 1800, 2)
    return camera(light), np.asarray(np.unique(labels, return_inverse=True)[1], np.int32)


def everywhere(pixels: Pixels) -> Labels:
    """Grid of false cells over the whole image: a segmenter that sees ghosts."""
    rows, columns = np.indices(pixels.shape) // 16
    return np.asarray(rows * 100 + columns + 1, dtype=np.int32)


def structured(pixels: Pixels) -> Labels:
    """Cells by a classical rule: where the image varies more than in most places."""
    image = pixels.astype(np.float32)
    fine = cv2.GaussianBlur(image, (0, 0), 1.5) - cv2.GaussianBlur(image, (0, 0), 8)
    power = cv2.GaussianBlur(fine * fine, (0, 0), 4)
    varied = power > 4 * np.median(power)
    return np.asarray(cv2.connectedComponents(varied.astype(np.uint8))[1], np.int32)


def grey(path: Path) -> Pixels:
    pixels = np.asarray(Image.open(path))
    pixels = pixels if pixels.ndim == 2 else np.asarray(pixels.mean(axis=-1))
    return pixels.astype(np.uint16)


def test_a_culture_is_one() -> None:
    assert cell_likeness(*culture()) == 1


def test_one_colony_in_a_large_noisy_field_is_a_culture() -> None:
    pixels, labels = culture(3)
    assert cell_likeness(pixels, labels) > 0.9


def test_a_field_without_cells_is_no_culture() -> None:
    pixels, labels = culture()
    assert cell_likeness(pixels, np.zeros_like(labels)) == 0


@pytest.mark.parametrize("noise_counts", [0, 5, 60])
def test_ghosts_in_an_empty_dish_are_no_culture(noise_counts: float) -> None:
    y, x = np.indices((SIDE, SIDE))
    vignette = 2000 - ((y - 200) ** 2 + (x - 150) ** 2) / 100
    empty = camera(vignette, noise_counts)
    assert cell_likeness(empty, everywhere(empty)) < 0.1
    assert cell_likeness(empty, structured(empty)) < 0.5


@pytest.mark.parametrize("period_px", [24, 50, 120])
@pytest.mark.parametrize("top", [250, 4000])
def test_waves_are_no_culture_however_they_are_labelled(period_px: int, top: int) -> None:
    y, x = np.indices((SIDE, SIDE))
    waves = camera(top / 2 * (1 + np.sin((2 * x + y) / period_px * math.pi)), 0)
    assert cell_likeness(waves, everywhere(waves)) < 0.1
    assert cell_likeness(waves, structured(waves)) < 0.1


def test_a_blank_image_is_no_culture() -> None:
    blank = np.full((50, 70), 7, dtype=np.uint8)
    assert cell_likeness(blank, everywhere(blank)) == 0


@pytest.fixture
def demo_camera() -> Iterator[Any]:
    """Micro-Manager's demo configuration; gone at the end, or the exit may abort."""
    pytest.importorskip("mm_test_adapters", reason="the dev extra brings the demo camera")
    core = pytest.importorskip("pymmcore_plus").CMMCorePlus()
    core.loadSystemConfiguration()
    yield core
    core.unloadAllDevices()
    gc.collect()


@pytest.mark.parametrize(
    ("mode", "pixel_type"),
    [("Artificial Waves", "8bit"), ("Artificial Waves", "16bit"), ("Noise", "16bit")],
)
def test_micro_managers_test_pattern_is_no_culture(
    demo_camera: Any, mode: str, pixel_type: str
) -> None:
    demo_camera.setProperty("Camera", "PixelType", pixel_type)
    demo_camera.setProperty("Camera", "Mode", mode)
    for _ in range(3):
        pattern = demo_camera.snap()
        assert cell_likeness(pattern, everywhere(pattern)) < 0.1
        assert cell_likeness(pattern, structured(pattern)) < 0.5


@pytest.mark.parametrize("folder", ["usiigaci/val", "bbbc039", "dsb2018"])
def test_real_cells_in_their_true_outlines_are_a_culture(
    shared_data: Path, folder: str
) -> None:
    for truth in sorted((shared_data / folder).glob("*_mask.png"))[::10]:
        pixels = grey(truth.with_name(truth.name.replace("_mask", "")))
        assert cell_likeness(pixels, grey(truth).astype(np.int32)) > 0.9, truth


@pytest.mark.parametrize("images", ["gap_closing/*.jpg", "yeast_growth/images/*.png"])
def test_real_cultures_without_truth_are_cultures(shared_data: Path, images: str) -> None:
    for path in sorted(shared_data.glob(images))[::9]:
        assert cell_likeness(grey(path), structured(grey(path))) > 0.9, path


def test_real_muscle_cells_are_a_culture(shared_data: Path) -> None:
    frames = np.load(shared_data / "c2c12" / "data_small.npz")
    for pixels, labels in zip(frames["images"], frames["labels"], strict=True):
        assert cell_likeness(pixels, labels.astype(np.int32)) > 0.9


def test_focus_falls_with_blur_and_not_with_exposure() -> None:
    pixels, _ = culture()
    sharp = image_quality(pixels).focus
    blurred = cv2.GaussianBlur(pixels, (0, 0), 2)
    assert image_quality(np.asarray(blurred, np.uint16)).focus < 0.5 * sharp
    assert image_quality(pixels * np.uint16(4)).focus == pytest.approx(sharp, rel=1e-3)


def test_a_picture_is_judged_the_same_when_its_cells_come_later() -> None:
    pixels, labels = culture()
    quality, likeness = Appearance(pixels, bits=12).judge(labels)
    assert quality == image_quality(pixels, labels, bits=12)
    assert likeness == cell_likeness(pixels, labels)


def test_a_black_image_has_no_focus_and_no_illumination() -> None:
    quality = image_quality(np.zeros((40, 40), dtype=np.uint16))
    assert math.isnan(quality.focus)
    assert math.isnan(quality.illumination)


def test_illumination_is_the_darkest_over_the_brightest_background() -> None:
    ramp = camera(np.linspace(1000, 2000, SIDE)[None, :])
    assert image_quality(ramp).illumination == pytest.approx(1062 / 1938, rel=0.02)


def test_cells_do_not_spoil_the_illumination() -> None:
    pixels, labels = culture()
    assert image_quality(pixels, labels).illumination > 0.98


def test_a_full_field_has_no_background_to_judge() -> None:
    pixels, _ = culture()
    assert math.isnan(image_quality(pixels, everywhere(pixels)).illumination)


@pytest.mark.parametrize(("bits", "fraction"), [(12, 0.25), (16, 0.0)])
def test_saturation_knows_the_bits_of_the_camera(bits: int, fraction: float) -> None:
    pixels = np.array([[4095, 100], [200, 300]], dtype=np.uint16)
    assert image_quality(pixels, bits=bits).saturated == fraction


def test_eight_bit_images_saturate_at_255() -> None:
    pixels = np.array([[255, 254]], dtype=np.uint8)
    assert image_quality(pixels, bits=16).saturated == 0.5
