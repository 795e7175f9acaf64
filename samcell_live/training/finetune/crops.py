"""Numbered crops: the number decides everything about a crop, whoever asks and when.

A run that was killed asks for the numbers that are still to come, several GPUs share the
numbers of a step, and both see what one unbroken run on one device would have seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from samcell_live.training.finetune.augment import draw_crop
from samcell_live.training.workers import leave_interrupts_to_the_trainer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from samcell_live.training.finetune.images import TrainingImages
    from samcell_live.training.finetune.settings import Augmentation, FinetuneSettings

ORDER, CROP = 0, 1
"""What chance is drawn for: the order of the images, or a crop."""


class Crops(Dataset[tuple["Tensor", "Tensor"]]):
    """As many different crops of images as one likes, by number.

    Each run of ``len(images)`` numbers shows every image once, in an order of its own.

    Parameters
    ----------
    images : TrainingImages
    side_px : int
        Height and width of the crops.
    augmentation : Augmentation
    seed : int
    """

    def __init__(
        self,
        images: TrainingImages,
        side_px: int,
        augmentation: Augmentation,
        seed: int,
    ) -> None:
        self._images = images
        self._side_px = side_px
        self._augmentation = augmentation
        self._seed = seed

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        """Draw a crop: its image and its distance map, (1, side, side) float32 each."""
        turn, place = divmod(number, len(self._images))
        order = np.random.default_rng([self._seed, ORDER, turn])
        chosen = self._images[order.permutation(len(self._images))[place]]
        random = np.random.default_rng([self._seed, CROP, number])
        crop = draw_crop(chosen, self._side_px, self._augmentation, random)
        image = torch.from_numpy(np.ascontiguousarray(crop.image))
        target = torch.from_numpy(np.ascontiguousarray(crop.distance))
        return image[None], target[None]


class Share(Sampler[list[int]]):
    """One device's share of the numbers of each step, part by part.

    Parameters
    ----------
    steps : range
        Steps still to be done, counted from 0.
    settings : FinetuneSettings
    rank, world_size : int
        Which device this is, and how many there are.
    """

    def __init__(
        self, steps: range, settings: FinetuneSettings, rank: int, world_size: int
    ) -> None:
        self._steps = steps
        self._batch = settings.batch
        self._rank = rank
        self._shares = settings.accumulate * world_size
        self._world_size = world_size

    def __len__(self) -> int:
        return len(self._steps) * self._shares // self._world_size

    def __iter__(self) -> Iterator[list[int]]:
        size = self._batch // self._shares
        for step in self._steps:
            for share in range(self._rank, self._shares, self._world_size):
                first = step * self._batch + share * size
                yield list(range(first, first + size))


def load_crops(
    crops: Crops, numbers: Sampler[list[int]] | list[list[int]], *, workers: int
) -> DataLoader[tuple[Tensor, Tensor]]:
    """Load batches of crops by their numbers, in other processes if there are workers."""
    return DataLoader(
        crops,
        batch_sampler=numbers,
        num_workers=workers,
        worker_init_fn=leave_interrupts_to_the_trainer,
    )
