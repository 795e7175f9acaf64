"""How SAMCell is fine-tuned. Unset, everything is as in the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from samcell_live.settings import Settings

RANDOM = "random"
"""Start from weights that were never trained."""

HARDWARE = frozenset(
    {"accumulate", "checkpoint_every", "devices", "prepared", "recompute", "workers"}
)
"""Settings that change where and in which pieces is computed, not what."""


FEW_IMAGES: dict[str, Any] = {
    "start": "samcell-generalist",
    "steps": 2000,
    "validate_every": 100,
}
"""What suits a lab's twenty images, where the paper's numbers are for thousands."""


class Augmentation(Settings):
    """How crops are varied: as in the paper, and more where it is asked for."""

    flip: float = Field(0.5, ge=0, le=1, description="Probability of mirroring.")
    rotation_deg: float = Field(
        180, ge=0, le=180, description="Turned by an angle between minus this and this."
    )
    scale: tuple[PositiveFloat, PositiveFloat] = Field(
        (0.8, 1.2), description="Enlarged by a factor between these."
    )
    brightness: tuple[PositiveFloat, PositiveFloat] = Field(
        (0.95, 1.05), description="Grey values times a factor between these."
    )
    inversion: float = Field(0.5, ge=0, le=1, description="Probability of a negative.")
    blur: float = Field(0, ge=0, le=1, description="Probability of being out of focus.")
    noise: float = Field(0, ge=0, le=1, description="Probability of camera noise.")
    gamma: float = Field(0, ge=0, le=1, description="Probability of a bent grey scale.")
    illumination: float = Field(0, ge=0, le=1, description="Probability of uneven light.")

    @model_validator(mode="after")
    def _ranges_run_upwards(self) -> Self:
        for name in ("scale", "brightness"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(
                    f"{name} is from {low} to {high}. Give the smaller factor first."
                )
        return self


NO_AUGMENTATION = Augmentation(
    flip=0, rotation_deg=0, scale=(1, 1), brightness=(1, 1), inversion=0
)
"""Crops as they are, to validate on."""


class Lora(Settings):
    """Low-rank changes to the image encoder's attention, its own weights left as they are.

    Hu et al., LoRA, ICLR 2022.
    """

    rank: PositiveInt = 4
    alpha: PositiveFloat = Field(4, description="The change is scaled by alpha / rank.")
    layers: tuple[Literal["qkv", "proj"], ...] = Field(
        ("qkv",), min_length=1, description="Which projections of each attention change."
    )


class FinetuneSettings(Settings):
    """One run of fine-tuning."""

    images: tuple[Path, ...] = Field(min_length=1, description="Folders to learn from.")
    validation: tuple[Path, ...] = Field(
        (), description="Folders to validate on. Unset: every fifth image is held back."
    )
    patch_px: PositiveInt | None = Field(
        None,
        description="Side of the crops, and of the tiles when the weights are used; the "
        "network sees either as 1024. Unset: 256, where its map is not resized.",
    )
    fit_px: int | None = Field(
        None, ge=32, description="Resize each image to fit a square of this side."
    )
    prepared: Path | None = Field(
        None, description="Folder of prepared images, to be shared. Unset: in the run's."
    )
    start: str = Field(
        "sam-vit-b",
        description="A model's name, the path of a weights file, or random.",
    )
    encoder: Literal["train", "freeze", "lora"] = Field(
        "train", description="What becomes of the image encoder. The decoder is trained."
    )
    lora: Lora = Lora()
    augmentation: Augmentation = Augmentation()
    steps: PositiveInt = Field(20_000, description="Optimiser steps, at most.")
    warmup_steps: NonNegativeInt = 250
    learning_rate: PositiveFloat = 1e-4
    weight_decay: NonNegativeFloat = 0.1
    betas: tuple[float, float] = (0.9, 0.999)
    batch: PositiveInt = Field(8, description="Crops in an optimiser step, all told.")
    accumulate: PositiveInt = Field(
        1, description="Go through the batch in this many parts, for want of memory."
    )
    devices: PositiveInt = Field(1, description="GPUs that share each part of the batch.")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="bfloat16: mixed precision, for GPUs that have it."
    )
    recompute: bool = Field(
        False, description="Gradient checkpointing: less memory, a third more time."
    )
    validate_every: PositiveInt = Field(250, description="Steps between validations.")
    validation_crops: PositiveInt = Field(64, description="Crops that are validated on.")
    patience: PositiveInt = Field(
        7, description="End after this many validations without improvement."
    )
    min_delta: NonNegativeFloat = Field(
        1e-4, description="A validation loss lower by less than this is no improvement."
    )
    checkpoint_every: PositiveInt = Field(100, description="Steps between checkpoints.")
    workers: NonNegativeInt = Field(
        2, description="Processes that prepare crops; 0: the training process itself."
    )
    seed: NonNegativeInt = 1

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Read settings from a file; relative paths in it start at the file's own folder.

        Raises
        ------
        ValueError
            As for all settings.
        """
        settings = super().from_yaml(path)
        start = path.parent / Path(settings.start).expanduser()
        return settings.model_copy(
            update={
                "images": tuple(path.parent / folder for folder in settings.images),
                "validation": tuple(path.parent / it for it in settings.validation),
                "prepared": settings.prepared and path.parent / settings.prepared,
                "start": str(start) if start.is_file() else settings.start,
            }
        )

    @model_validator(mode="after")
    def _settings_fit_together(self) -> Self:
        shares = self.accumulate * self.devices
        if self.batch % shares:
            raise ValueError(
                f"batch is {self.batch}, which {self.devices} devices in {self.accumulate} "
                f"parts cannot share equally. Make it a multiple of {shares}."
            )
        if self.warmup_steps >= self.steps:
            raise ValueError(
                f"warmup_steps is {self.warmup_steps}, but there are only {self.steps} "
                "steps. Warm up for fewer."
            )
        return self
