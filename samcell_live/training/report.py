"""What a training run came to, for people: a summary and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from samcell_live.training.scores import FieldScore, mean_op_csb

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy.typing as npt

    from samcell_live.records import Labels
    from samcell_live.segmentation.preprocess import GreyImage
    from samcell_live.training.fields import Field
    from samcell_live.training.thresholds import Thresholds

SUMMARY = "summary.txt"
FOUND_BGR, TRUE_BGR = (60, 220, 255), (255, 120, 0)


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a training run came to."""

    weights: Path
    steps: int
    final_loss: float
    """Mean over the last hundred steps."""
    thresholds: Thresholds
    scores: tuple[FieldScore, ...]
    """Of the validation fields; empty if there are none."""

    def summary(self) -> str:
        """Say it in a few lines of text."""
        chosen = self.thresholds
        lines = [
            f"{self.steps} steps, loss {self.final_loss:.5f}",
            f"thresholds: peak {chosen.peak}, fill {chosen.fill}, prominence "
            f"{chosen.prominence} (OP_CSB {chosen.op_csb:.3f} where tuned)",
            *(_line(score) for score in self.scores),
        ]
        if self.scores:
            lines.append(f"mean OP_CSB on validation: {mean_op_csb(self.scores):.3f}")
        return "\n".join([*lines, f"weights: {self.weights}"])


def _line(score: FieldScore) -> str:
    return (
        f"{score.name}: SEG {score.seg:.3f}  DET {score.det:.3f}  OP_CSB {score.op_csb:.3f}"
        f"  cells {score.cell_count} of {score.true_cell_count}"
        f"  confluence {score.confluence:.1%} of {score.true_confluence:.1%}"
    )


def write_report(
    report: TrainingReport, segmented: Iterable[tuple[Field, Labels]], run_folder: Path
) -> None:
    """Write ``summary.txt``, and each field with true and found outlines over it."""
    (run_folder / SUMMARY).write_text(report.summary() + "\n", encoding="utf-8")
    for field, found in segmented:
        picture = draw_outlines(field.image, field.labels, TRUE_BGR)
        picture = draw_outlines(picture, found, FOUND_BGR)
        cv2.imwrite(str(run_folder / f"validation_{field.name}.png"), picture)


def draw_outlines(
    image: GreyImage | npt.NDArray[np.uint8],
    labels: Labels,
    color_bgr: tuple[int, int, int],
) -> npt.NDArray[np.uint8]:
    """Draw the outlines of labelled cells over an image.

    Parameters
    ----------
    image : (height, width) float32, or (height, width, 3) uint8
        Grey values are stretched between their 0.5 and 99.5 percentiles.
    labels : (height, width) int32
    color_bgr : (int, int, int)
        Blue, green and red, 0 to 255.

    Returns
    -------
    (height, width, 3) uint8
    """
    picture = image.astype(np.uint8) if image.ndim == 3 else _stretched(image)
    cells = labels.astype(np.float32)
    edges = cv2.morphologyEx(cells, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0
    picture[edges] = color_bgr
    return picture


def _stretched(image: npt.NDArray[np.floating | np.uint8]) -> npt.NDArray[np.uint8]:
    low, high = np.percentile(image, [0.5, 99.5])
    unit = np.clip((image - low) / max(high - low, 1e-6), 0, 1)
    grey = np.asarray(np.rint(unit * 255), dtype=np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
