"""A reduced SAM to start from, and a few small images to learn from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from samcell_live.segmentation.network import SamArchitecture, SamcellNetwork
from samcell_live.training.finetune.images import TrainingImages, split_images
from samcell_live.training.finetune.settings import FinetuneSettings

pytest.importorskip("lightning", reason="fine-tuning needs the extra train")
pytest.importorskip("tensorboard", reason="fine-tuning needs the extra train")

TINY_SAM = SamArchitecture(
    width=32, depth=2, heads=2, mlp_ratio=2.0, window=3, global_blocks=(1,), grid=4
)
"""Sees crops of 16 pixels, enlarged to 64."""


def discs(seed: int, side_px: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """A noisy 12-bit image of bright discs, and their labels."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side_px, :side_px]
    labels = np.zeros((side_px, side_px), np.uint16)
    for number in range(1, 6):
        centre_y, centre_x = random.uniform(0, side_px, 2)
        labels[np.hypot(y - centre_y, x - centre_x) < random.uniform(4, 8)] = number
    pixels = 500 + 1500 * (labels > 0) + random.normal(0, 60, labels.shape)
    return pixels.astype(np.uint16), labels


def write_discs(folder: Path, count: int) -> Path:
    """Write images with masks."""
    folder.mkdir()
    for number in range(count):
        pixels, labels = discs(number)
        cv2.imwrite(str(folder / f"{number:02d}.png"), pixels)
        cv2.imwrite(str(folder / f"{number:02d}_mask.png"), labels)
    return folder


def write_sam(path: Path) -> Path:
    """Write a reduced SAM with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        tensors = SamcellNetwork(TINY_SAM).state_dict()
    save_file({name: it.contiguous() for name, it in tensors.items()}, path)
    return path


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> FinetuneSettings:
    """Six steps on six images, two of them held back."""
    folder = tmp_path_factory.mktemp("finetune")
    return FinetuneSettings(
        images=(write_discs(folder / "images", 6),),
        start=str(write_sam(folder / "sam.safetensors")),
        steps=6,
        warmup_steps=2,
        learning_rate=1e-3,
        batch=4,
        validate_every=3,
        validation_crops=6,
        checkpoint_every=2,
        workers=0,
    )


@pytest.fixture(scope="session")
def images(
    settings: FinetuneSettings, tmp_path_factory: pytest.TempPathFactory
) -> TrainingImages:
    """Those that are learnt from."""
    return split_images(settings.images, (), tmp_path_factory.mktemp("kept")).training
