"""What goes from one stage of segmenting an image to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

    from samcell_live.records import DistanceMap


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """An image that is ready for the network."""

    pixels: Tensor
    """(height, width) float32, resized and scaled as the network wants it."""
    shape_px: tuple[int, int]
    """Height and width of the image as it was given."""
    min_area_px: float


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A distance map that the device may still be working on."""

    distance: Tensor
    """(height, width) float32 in the computer's memory."""
    is_there: torch.cuda.Event | None

    def wait(self) -> DistanceMap:
        """Give the map once it is there."""
        if self.is_there is not None:
            self.is_there.synchronize()
        return np.asarray(self.distance.numpy())


def fetch(distance: Tensor) -> Answer:
    """Bring a map to the computer's memory, without waiting for it."""
    if distance.device.type != "cuda":
        return Answer(distance.cpu(), None)
    copy = torch.empty(distance.shape, dtype=distance.dtype, pin_memory=True)
    copy.copy_(distance, non_blocking=True)
    event = torch.cuda.Event()  # type: ignore[no-untyped-call]
    event.record()
    return Answer(copy, event)
