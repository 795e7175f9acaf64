"""How a network is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from samcell_live.segmentation.starter import CHANNELS
from samcell_live.settings import Settings

Range = tuple[PositiveFloat, PositiveFloat]


class ImageFolder(Settings):
    """A folder of ``NAME.png`` images, each with a ``NAME_mask.png`` of labelled cells."""

    folder: Path
    share: PositiveFloat = Field(
        1.0, description="Crops taken from here, relative to the other sources."
    )
    hold_back_every: int | None = Field(
        None, ge=2, description="Of so many images the last is never trained on."
    )


class SimulatedFields(Settings):
    """Fields of the simulated culture, rendered before training begins."""

    count: PositiveInt = Field(200, description="Fields to render.")
    side_px: PositiveInt = 384
    diameter_px: Range = Field((18, 48), description="Cells of which most lie in between.")
    share: PositiveFloat = 1.0


class TrainingSettings(Settings):
    """One training run of the starter network."""

    folders: tuple[ImageFolder, ...] = ()
    simulated: SimulatedFields | None = None
    validation: Path | None = Field(
        None, description="Image folder that is only scored, never trained on."
    )
    start: Path | None = Field(
        None, description="Weights of a starter network to go on from. Unset: random ones."
    )
    channels: tuple[PositiveInt, ...] = Field(
        CHANNELS, min_length=2, description="Width of each level of the network."
    )
    diameter_px: PositiveFloat = Field(
        28.0, description="Diameter of most cells of most crops, which are zoomed to it."
    )
    diameter_octaves: float = Field(
        0.8, ge=0, description="Spread of the crops' typical diameters, in doublings."
    )
    crop_px: PositiveInt = Field(256, description="Side of the square crops.")
    batch: PositiveInt = 8
    steps: PositiveInt = 12_000
    warmup_steps: NonNegativeInt = 250
    learning_rate: PositiveFloat = 2e-3
    weight_decay: float = Field(0.02, ge=0)
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="bfloat16 is faster only where the processor has it."
    )
    checkpoint_every: PositiveInt = 500
    workers: NonNegativeInt = Field(
        0, description="Processes beside this one that render fields and draw crops."
    )
    seed: NonNegativeInt = 1

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Read settings from a file; relative folders are taken from the file's own.

        Raises
        ------
        ValueError
            If the file cannot be read, is not a mapping or has a bad or unknown key;
            the message names the key and the file.
        """
        settings = super().from_yaml(path)
        folders = tuple(
            source.model_copy(update={"folder": path.parent / source.folder})
            for source in settings.folders
        )
        beside = {
            "folders": folders,
            "validation": settings.validation and path.parent / settings.validation,
            "start": settings.start and path.parent / settings.start,
        }
        return settings.model_copy(update=beside)

    @model_validator(mode="after")
    def _settings_fit_together(self) -> Self:
        multiple_px = 2 ** len(self.channels)
        if self.crop_px % multiple_px:
            raise ValueError(
                f"crop_px is {self.crop_px}; with {len(self.channels)} levels of channels "
                f"it must be a multiple of {multiple_px}."
            )
        if self.warmup_steps >= self.steps:
            raise ValueError(
                f"warmup_steps is {self.warmup_steps}, but there are only {self.steps} "
                "steps. Warm up for fewer."
            )
        return self
