"""A crop's number decides what it is, and every number is asked for once."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from samcell_live.training.finetune.crops import Crops, Share, load_crops
from samcell_live.training.finetune.images import TrainingImages
from samcell_live.training.finetune.settings import (
    NO_AUGMENTATION,
    Augmentation,
    FinetuneSettings,
)


def crops(images: TrainingImages, seed: int = 1) -> Crops:
    return Crops(images, 16, Augmentation(), seed)


def test_a_number_is_the_same_crop_whoever_asks(images: TrainingImages) -> None:
    for ours, theirs in zip(crops(images)[1234], crops(images)[1234], strict=True):
        assert torch.equal(ours, theirs)


def test_other_numbers_and_seeds_are_other_crops(images: TrainingImages) -> None:
    image, target = crops(images)[7]

    assert image.shape == target.shape == (1, 16, 16)
    assert not torch.equal(image, crops(images)[11][0])
    assert not torch.equal(image, crops(images, seed=2)[7][0])


def test_each_turn_shows_every_image_once(images: TrainingImages) -> None:
    plain = Crops(images, 48, NO_AUGMENTATION, seed=1)  # as large as the images

    for turn in range(3):
        numbers = range(turn * len(images), (turn + 1) * len(images))
        shown = [np.asarray(plain[number][0][0]) for number in numbers]
        assert all(
            sum(np.allclose(crop, image.image, atol=1e-5) for crop in shown) == 1
            for image in images
        )


@given(
    world_size=st.integers(1, 4),
    accumulate=st.integers(1, 3),
    size=st.integers(1, 3),
    begun=st.integers(0, 4),
)
def test_devices_and_parts_share_the_numbers_of_each_step(
    world_size: int, accumulate: int, size: int, begun: int
) -> None:
    batch = world_size * accumulate * size
    it = FinetuneSettings.model_validate(
        {"images": ["cells"], "batch": batch, "accumulate": accumulate}
    )
    shares = [Share(range(begun, 5), it, rank, world_size) for rank in range(world_size)]
    asked = [list(share) for share in shares]

    assert all(len(share) == len(own) for share, own in zip(shares, asked, strict=True))
    for step in range(begun, 5):
        first = (step - begun) * accumulate
        parts = [part for own in asked for part in own[first : first + accumulate]]
        numbers = sorted(number for part in parts for number in part)
        assert numbers == list(range(step * batch, (step + 1) * batch))


def test_workers_load_what_one_process_would(images: TrainingImages) -> None:
    numbers = [[3, 1], [5, 2]]
    alone = load_crops(crops(images), numbers, workers=0)
    together = load_crops(crops(images), numbers, workers=2)

    for ours, theirs in zip(together, alone, strict=True):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])
