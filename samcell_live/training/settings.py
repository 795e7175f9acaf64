"""How a network is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from samcell_live.settings import Settings


class ImageFolder(Settings):
    """A folder of ``NAME.png`` images, each with a ``NAME_mask.png`` of labelled cells."""

    folder: Path
    share: PositiveFloat = Field(
        1.0, description="Crops taken from here, relative to the other sources."
    )
    zoom: tuple[PositiveFloat, PositiveFloat] = Field(
        (0.5, 1.8), description="Crops are enlarged by a factor between these."
    )


class SimulatedFields(Settings):
    """Fields of the simulated culture, rendered before training begins."""

    count: PositiveInt = Field(200, description="Fields to render.")
    side_px: PositiveInt = 384
    pixel_size_um: tuple[PositiveFloat, PositiveFloat] = (0.6, 1.3)
    share: PositiveFloat = 1.0
    zoom: tuple[PositiveFloat, PositiveFloat] = (0.7, 1.5)


class TrainingSettings(Settings):
    """One training run of the starter network."""

    folders: tuple[ImageFolder, ...] = ()
    simulated: SimulatedFields | None = None
    validation: Path | None = Field(
        None, description="Image folder that is only scored, never trained on."
    )
    initial_weights: Path | None = Field(
        None, description="Weights to go on from. Unset: random ones."
    )
    crop_px: PositiveInt = Field(256, multiple_of=32)
    batch: PositiveInt = 8
    steps: PositiveInt = 12_000
    warmup_steps: NonNegativeInt = 250
    learning_rate: PositiveFloat = 2e-3
    weight_decay: float = Field(0.02, ge=0)
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="bfloat16 is faster only where the processor has it."
    )
    checkpoint_every: PositiveInt = 500
    seed: NonNegativeInt = 1
