"""What fine-tuning came to, for people: a summary, and one picture of it all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw

from samcell_live.training.finetune.chart import INK, PAPER, WIDTH, draw_losses, font

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from samcell_live.records import DistanceMap
    from samcell_live.segmentation.preprocess import GreyImage
    from samcell_live.training.finetune.images import TrainingImage
    from samcell_live.training.finetune.losses import Step
    from samcell_live.training.thresholds import Thresholds

SUMMARY, PICTURE = "summary.txt", "report.png"
PICTURED = 4
"""Validation images that are shown."""
SEEN_PX = 512
"""At most this much of an image's middle is shown."""
SIDE_PX, GAP_PX, HEADING_PX = 300, 15, 26


class Prediction(NamedTuple):
    """A validation image, and the distance map that was predicted for it."""

    image: TrainingImage
    distance: DistanceMap


@dataclass(frozen=True, slots=True)
class FinetuneReport:
    """What fine-tuning came to."""

    weights: Path
    steps: int
    """Fewer than were asked for if validation brought no improvement any more."""
    best: Step
    """The step whose weights were kept."""
    thresholds: Thresholds
    n_training: int
    n_validation: int

    def for_json(self) -> dict[str, object]:
        """Say it for a script."""
        return {
            "weights": str(self.weights),
            "steps": self.steps,
            "best_step": self.best.step,
            "validation_loss": self.best.validation_loss,
            "peak_threshold": self.thresholds.peak,
            "fill_threshold": self.thresholds.fill,
            "op_csb": self.thresholds.op_csb,
        }

    def summary(self) -> str:
        """Say it in a few lines of text."""
        chosen = self.thresholds
        lines = (
            f"{self.n_training} images learnt from, {self.n_validation} validated on",
            f"{self.steps} steps; weights are those of step {self.best.step}, "
            f"validation loss {self.best.validation_loss:.5f}",
            f"thresholds: peak {chosen.peak}, fill {chosen.fill} (OP_CSB "
            f"{chosen.op_csb:.3f} on the validation "
            "images that they were chosen on)",
            f"weights: {self.weights}",
        )
        return "\n".join(lines)


def write_report(
    run_folder: Path,
    report: FinetuneReport,
    history: Sequence[Step],
    predictions: Sequence[Prediction],
) -> None:
    """Write ``summary.txt``, and ``report.png`` with losses and example predictions."""
    (run_folder / SUMMARY).write_text(report.summary() + "\n", encoding="utf-8")
    draw_report(history, predictions).save(run_folder / PICTURE)


def draw_report(history: Sequence[Step], predictions: Sequence[Prediction]) -> Image.Image:
    """Draw the losses, and below them image, target and prediction of some examples."""
    losses, shown = draw_losses(history), predictions[:PICTURED]
    row_px = HEADING_PX + SIDE_PX + GAP_PX
    picture = Image.new("RGB", (WIDTH, losses.height + row_px * len(shown)), PAPER)
    picture.paste(losses)
    pen = ImageDraw.Draw(picture)
    for row, prediction in enumerate(shown):
        top = losses.height + row * row_px
        panels = (
            (prediction.image.name, _grey(prediction.image.image)),
            ("target", _coloured(prediction.image.distance)),
            ("prediction", _coloured(prediction.distance)),
        )
        for column, (heading, panel) in enumerate(panels):
            left = GAP_PX + column * (SIDE_PX + GAP_PX)
            pen.text((left, top + 4), heading, INK, font(15))
            picture.paste(Image.fromarray(panel), (left, top + HEADING_PX))
    return picture


def _grey(image: GreyImage) -> npt.NDArray[np.uint8]:
    middle = _middle(image)
    low, high = np.percentile(middle, [0.5, 99.5])
    unit = np.clip((middle - low) / max(high - low, 1e-6), 0, 1)
    levels = np.asarray(np.rint(unit * 255), dtype=np.uint8)
    return np.repeat(levels[:, :, None], 3, axis=2)


def _coloured(distance: DistanceMap) -> npt.NDArray[np.uint8]:
    """Show a map in colours: violet at 0, yellow at 1; white where it says nothing."""
    middle = _middle(distance)
    levels = np.asarray(np.rint(np.nan_to_num(middle) * 255), dtype=np.uint8)
    bgr = cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)
    bgr[np.isnan(middle)] = 255
    return np.ascontiguousarray(bgr[:, :, ::-1], dtype=np.uint8)


def _middle(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The middle of an image, as a square of `SIDE_PX`."""
    side = min(*plane.shape, SEEN_PX)
    top, left = ((length - side) // 2 for length in plane.shape)
    middle = np.ascontiguousarray(plane[top : top + side, left : left + side])
    way = cv2.INTER_AREA if side > SIDE_PX else cv2.INTER_NEAREST
    resized = cv2.resize(middle, (SIDE_PX, SIDE_PX), interpolation=way)
    return np.asarray(resized, dtype=np.float32)
