"""The compact convolutional network that runs in real time on a CPU.

It predicts the same distance map as SAMCell, at full resolution, and is not SAMCell.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

CHANNELS = (16, 48, 96, 160, 320)
"""Width of each level; each works at half the resolution of the one before."""


class StarterNetwork(nn.Module):
    """A U-shaped residual network whose finest level is half the image's resolution.

    Batch norm, unlike group norm, gives a pixel the same value whatever else is in its
    tile, so tiles fit together; and it folds into the convolutions.

    Parameters
    ----------
    channels : sequence of int
        Width of each level, finest first.
    """

    def __init__(self, channels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        finest, *_ = channels
        self.stem = NormedConvolution(1, finest, size=5, stride=2)
        self.encoders = nn.ModuleList(ResidualBlock(width) for width in channels)
        self.downs = nn.ModuleList(
            NormedConvolution(fine, coarse, size=3, stride=2)
            for fine, coarse in pairwise(channels)
        )
        self.ups = nn.ModuleList(
            nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(channels)
        )
        self.decoders = nn.ModuleList(ResidualBlock(width) for width in channels[:-1])
        self.head = nn.Sequential(nn.Conv2d(finest, 4, 3, padding=1), nn.PixelShuffle(2))

    @property
    def multiple_px(self) -> int:
        """Image sides must be multiples of this."""
        return int(2 ** len(self.encoders))

    def forward(self, image: Tensor) -> Tensor:
        """Predict the distance map before its sigmoid.

        Parameters
        ----------
        image : (batch, 1, height, width) float32
            Standardised, with sides that are multiples of `multiple_px`.

        Returns
        -------
        (batch, 1, height, width) float32
            Logits.
        """
        features = self.encoders[0](functional.relu(self.stem(image)))
        skips = []
        for down, encoder in zip(self.downs, list(self.encoders)[1:], strict=True):
            skips.append(features)
            features = encoder(functional.relu(down(features)))
        levels = zip(
            reversed(self.ups), reversed(self.decoders), reversed(skips), strict=True
        )
        for up, decoder, skip in levels:
            coarse = functional.interpolate(up(features), scale_factor=2, mode="nearest")
            features = decoder(skip + coarse)
        # Reduced precision has some 200 heights; plateaus would make straight borders.
        with torch.autocast(image.device.type, enabled=False):
            logits: Tensor = self.head(features.float())
        return logits

    def fold_norms(self) -> None:
        """Merge each batch norm into the convolution before it; for prediction only."""
        for module in self.modules():
            for name, child in module.named_children():
                if isinstance(child, NormedConvolution):
                    setattr(module, name, fuse_conv_bn_eval(*child))


class NormedConvolution(nn.Sequential):
    """A convolution without bias, then a batch norm."""

    def __init__(
        self, channels_in: int, channels_out: int, *, size: int, stride: int = 1
    ) -> None:
        super().__init__(
            nn.Conv2d(
                channels_in, channels_out, size, stride, padding=size // 2, bias=False
            ),
            nn.BatchNorm2d(channels_out),
        )


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = NormedConvolution(width, width, size=3)
        self.second = NormedConvolution(width, width, size=3)

    def forward(self, features: Tensor) -> Tensor:
        """Refine features; shape (batch, width, rows, columns) is kept."""
        change = self.second(functional.relu(self.first(features)))
        return functional.relu(features + change)
