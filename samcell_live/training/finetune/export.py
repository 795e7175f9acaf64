"""Weights that segment, with how they were made in their header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import samcell_live
from samcell_live.segmentation.formats import write_samcell
from samcell_live.segmentation.headers import FineTuning, SamcellHeader
from samcell_live.training.finetune.lora import merged
from samcell_live.training.finetune.losses import best_step
from samcell_live.training.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch import Tensor

    from samcell_live.segmentation.network import SamcellNetwork
    from samcell_live.training.finetune.losses import Step
    from samcell_live.training.finetune.settings import FinetuneSettings
    from samcell_live.training.finetune.start import Start

BEST = "best.safetensors"
FIRST_THRESHOLDS = Thresholds(peak=0.47, fill=0.09)
"""The paper's; used until the network's own are found."""


@dataclass(frozen=True, slots=True, eq=False)
class BestWeights:
    """The file of the best weights so far, and what its header says whatever the step."""

    path: Path
    start: Start
    settings: FinetuneSettings
    trained_on: tuple[str, ...]
    n_images: int
    cell_diameter_px: float

    def write(self, network: SamcellNetwork, history: Sequence[Step]) -> None:
        """Write a network's weights, low-rank changes merged into them."""
        header = self.header(history, FIRST_THRESHOLDS)
        write_samcell(self.path, merged(network), header)

    def rewrite(
        self,
        tensors: Mapping[str, Tensor],
        history: Sequence[Step],
        thresholds: Thresholds,
    ) -> None:
        """Write the same weights with thresholds of their own."""
        write_samcell(self.path, tensors, self.header(history, thresholds))

    def header(self, history: Sequence[Step], thresholds: Thresholds) -> SamcellHeader:
        """Say how the weights of the best step were made."""
        best = best_step(history)
        return SamcellHeader(
            name=self.path.parent.name,
            architecture=self.start.network.architecture.name,
            package=f"samcell_live {samcell_live.__version__}",
            source=self.start.name,
            source_sha256=self.start.sha256,
            terms=self.start.terms,
            fine_tuning=FineTuning(
                peak_threshold=thresholds.peak,
                fill_threshold=thresholds.fill,
                cell_diameter_px=self.cell_diameter_px,
                patch_px=self.settings.patch_px,
                trained_on=self.trained_on,
                n_images=self.n_images,
                steps=best.step,
                validation_loss=best.validation_loss,
                settings=self.settings.model_dump(mode="json"),
            ),
        )
