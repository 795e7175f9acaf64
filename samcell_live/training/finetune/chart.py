"""The losses of a run as a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from samcell_live.training.finetune.losses import validations

if TYPE_CHECKING:
    from samcell_live.training.finetune.losses import Step

WIDTH, HEIGHT = 960, 340
LEFT, RIGHT, TOP, BOTTOM = 90, 24, 46, 48
"""Space around the axes, for their letters."""
INK, RULE, PAPER = (40, 40, 40), (225, 225, 225), (255, 255, 255)
EACH, TRAINING, VALIDATION = (198, 215, 240), (31, 90, 180), (205, 80, 20)
SMOOTHED_OVER = 40
"""The training loss is averaged over about a fortieth of the run."""


class Axes(NamedTuple):
    """Where steps and losses lie in the picture; losses on a logarithmic scale."""

    last_step: int
    low: float
    """log10 of the lowest loss shown."""
    high: float

    def place(self, step: float, loss: float) -> tuple[float, float]:
        """Pixel (x, y) of a point; losses outside the axes lie on their edge."""
        logarithm = min(max(math.log10(max(loss, 1e-12)), self.low), self.high)
        height = (logarithm - self.low) / (self.high - self.low)
        x = LEFT + (WIDTH - LEFT - RIGHT) * step / self.last_step
        return x, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * height


def draw_losses(history: Sequence[Step]) -> Image.Image:
    """Draw training and validation loss over the steps.

    Parameters
    ----------
    history : sequence of Step
        At least one.
    """
    losses = np.array([step.loss for step in history])
    validated = validations(history)
    shown = [*losses, *(step.validation_loss for step in validated)]
    axes = Axes(
        len(history),
        math.floor(5 * math.log10(max(min(shown), 1e-12))) / 5,
        math.ceil(5 * math.log10(max(*shown, 1e-11)) + 1e-9) / 5,
    )
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(picture)
    _draw_axes(pen, axes)
    steps = np.arange(1, len(history) + 1)
    _draw_line(pen, axes, zip(steps, losses, strict=True), EACH, 1)
    _draw_line(pen, axes, _smoothed(losses), TRAINING, 2)
    for step in validated:
        x, y = axes.place(step.step, step.validation_loss)
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=VALIDATION)
    pen.text((LEFT, 14), "Mean squared error of the distance map:", INK, font(15))
    pen.text((LEFT + 290, 14), "training", TRAINING, font(15))
    pen.text((LEFT + 360, 14), "validation", VALIDATION, font(15))
    return picture


def font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own letters."""
    return ImageFont.load_default(size_px)


def _draw_axes(pen: ImageDraw.ImageDraw, axes: Axes) -> None:
    for loss in _round_losses(axes):
        left, y = axes.place(0, loss)
        pen.line((left, y, WIDTH - RIGHT, y), RULE)
        pen.text((LEFT - 8, y), f"{loss:.2g}", INK, font(13), anchor="rm")
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, bottom = axes.place(share * axes.last_step, 10**axes.low)
        pen.line((x, bottom, x, bottom + 5), INK)
        label = f"{share * axes.last_step:.0f}"
        pen.text((x, bottom + 9), label, INK, font(13), anchor="mt")
    pen.text((WIDTH / 2, HEIGHT - 4), "optimiser step", INK, font(13), anchor="mb")


def _round_losses(axes: Axes) -> list[float]:
    """Losses of one digit within the axes, a handful of them."""
    exponents = range(math.floor(axes.low), math.ceil(axes.high) + 1)
    several = (1, 2, 3, 5, 7) if axes.high - axes.low < 1 else (1, 3)
    losses = (digit * 10.0**exponent for exponent in exponents for digit in several)
    return [loss for loss in losses if axes.low <= math.log10(loss) <= axes.high]


def _smoothed(losses: np.ndarray) -> list[tuple[float, float]]:
    """Means of consecutive steps, each at the middle of them."""
    span = max(1, len(losses) // SMOOTHED_OVER)
    starts = range(0, len(losses) - span + 1, span)
    return [
        (start + (span + 1) / 2, losses[start : start + span].mean()) for start in starts
    ]


def _draw_line(
    pen: ImageDraw.ImageDraw,
    axes: Axes,
    points: Iterable[tuple[float, float]],
    color: tuple[int, int, int],
    width_px: int,
) -> None:
    pen.line([axes.place(*point) for point in points], color, width_px, joint="curve")
