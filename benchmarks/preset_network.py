"""Stand-ins for SAMCell: small networks trained on images prepared as SAMCell's are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from preset_choices import Prepare, equalise, min_max
from preset_fields import LabelledImage
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import update_bn

from samcell_live.records import DistanceMap
from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.preprocess import GreyImage
from samcell_live.segmentation.reference import TILE_PX
from samcell_live.segmentation.starter import StarterNetwork

CHANNELS = (16, 32, 48, 64, 96)
BATCH, LEARNING_RATE, SETTLING_BATCHES = 8, 2e-3, 60
SHARES = {"usiigaci": 0.5, "bbbc039": 0.25, "dsb2018": 0.25}
"""Crops that come from each training set."""

TRAINED_ON: dict[str, Prepare] = {
    "min-max": min_max,
    "CLAHE 3": partial(equalise, clip=3.0),
}
"""How the published versions of SAMCell's training code prepare a field.

`src/samcell/dataset_livecell.py` of github.com/saahilsanganeriya/SAMCell brings whole
fields to 8 bits by min-max, with CLAHE commented out, in commit 7d1611f, and adds a CLAHE
of clip limit 3 in commit 2b7b555.
"""


class Sheet(NamedTuple):
    """A field as SAMCell's training code holds it, with its target."""

    levels: npt.NDArray[np.uint8]
    distance: DistanceMap


def stand_in(
    name: str,
    folder: Path,
    fields: list[LabelledImage],
    *,
    steps: int,
    precision: torch.dtype,
    seed: int,
) -> StarterNetwork:
    """Load the stand-in that was trained on images prepared like this, or train it."""
    path = folder / f"{name}, seed {seed}.pt"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        network = train(fields, TRAINED_ON[name], steps, precision, seed)
        torch.save(network.state_dict(), path)
    network = StarterNetwork(CHANNELS).to(memory_format=torch.channels_last)
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()


def train(
    fields: list[LabelledImage],
    prepare: Prepare,
    steps: int,
    precision: torch.dtype,
    seed: int,
) -> StarterNetwork:
    """Train a stand-in from random weights: mean squared error on the distance map."""
    torch.manual_seed(seed)
    network = StarterNetwork(CHANNELS).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.05
    )
    drawn, losses = draw_batches(fields, prepare, seed), []
    for step in range(1, steps + 1):
        image, target = next(drawn)
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            logits = network(image)
        loss = functional.mse_loss(torch.sigmoid(logits.float()), target)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 250 == 0:
            print(f"step {step}: loss {np.mean(losses[-250:]):.4f}", file=sys.stderr)
    update_bn((next(drawn)[0] for _ in range(SETTLING_BATCHES)), network)
    return network


def draw_batches(
    fields: list[LabelledImage], prepare: Prepare, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Draw images and distance maps, each (batch, 1, side, side), for ever."""
    random = np.random.default_rng(seed)
    sheets: dict[str, list[Sheet]] = {name: [] for name in SHARES}
    for field in fields:
        levels = np.rint(prepare(field.image) * 255).astype(np.uint8)
        sheets[field.source].append(Sheet(levels, distance_map(field.labels)))
    while True:
        names = random.choice(list(SHARES), size=BATCH, p=list(SHARES.values()))
        crops = [
            draw_crop(sheets[name][random.integers(len(sheets[name]))], random)
            for name in names
        ]
        image, target = (
            torch.from_numpy(np.stack(planes))[:, None]
            for planes in zip(*crops, strict=True)
        )
        yield image.contiguous(memory_format=torch.channels_last), target


def draw_crop(sheet: Sheet, random: np.random.Generator) -> tuple[GreyImage, DistanceMap]:
    """Turn, scale, flip, crop, brighten and perhaps invert, as SAMCell's training does.

    What lies beyond the field is black there, too.
    """
    height, width = sheet.levels.shape
    turn = cv2.getRotationMatrix2D(
        (width / 2, height / 2), random.uniform(-180, 180), random.uniform(0.8, 1.2)
    )
    if random.random() < 0.5:
        turn = turn @ np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1]])
    turn[:, 2] -= [random.integers(side - TILE_PX + 1) for side in (width, height)]
    image, target = (
        np.asarray(cv2.warpAffine(plane, turn, (TILE_PX, TILE_PX)), dtype=np.float32)
        for plane in (sheet.levels, sheet.distance)
    )
    image = np.clip(image * np.float32(random.uniform(0.95, 1.05)), 0, 255)
    return (255 - image if random.random() < 0.5 else image) / 255, target
