"""Small labelled images to train on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from samcell_live.training.fields import Field, Source, make_field
from samcell_live.training.settings import ImageFolder, TrainingSettings


def discs(seed: int, side_px: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """A noisy 12-bit image of bright discs, and their labels."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side_px, :side_px]
    labels = np.zeros((side_px, side_px), np.int32)
    for number in range(1, 6):
        centre_y, centre_x = random.uniform(0, side_px, 2)
        labels[np.hypot(y - centre_y, x - centre_x) < random.uniform(6, 11)] = number
    pixels = 500 + 1500 * (labels > 0) + random.normal(0, 60, labels.shape)
    return pixels.astype(np.uint16), labels


@pytest.fixture
def field() -> Field:
    """One labelled image."""
    return make_field("discs", *discs(1))


@pytest.fixture
def source(field: Field) -> Source:
    """One field to draw crops from."""
    return Source("discs", (field,), share=1.0)


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Folder of two images and their masks."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(2):
        pixels, labels = discs(number)
        cv2.imwrite(str(folder / f"{number:02d}.png"), pixels)
        cv2.imwrite(str(folder / f"{number:02d}_mask.png"), labels.astype(np.uint16))
    return folder


@pytest.fixture
def tiny_settings(image_folder: Path) -> TrainingSettings:
    """Six steps of a tiny network."""
    return TrainingSettings(
        folders=(ImageFolder(folder=image_folder),),
        channels=(4, 6),
        crop_px=32,
        batch=2,
        steps=6,
        warmup_steps=2,
        checkpoint_every=2,
    )
