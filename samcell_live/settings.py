"""Every setting, in one place. Unknown keys are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

import yaml
from pydantic import (
    BaseModel,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from useq import MDASequence

from samcell_live.rules import Rule
from samcell_live.sequences import Sequence

Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]
WantedPrecision: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]
"""Written out, as Typer takes no union of literals."""
Preset: TypeAlias = Literal["default", "reference"]
Raw: TypeAlias = Literal["keep", "spill"]
Plane: TypeAlias = Literal["middle", "sharpest", "max", "mean"] | NonNegativeInt


class Settings(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """A group of settings; misspelt names are errors."""

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Read settings from a file.

        Raises
        ------
        ValueError
            If the file cannot be read, is not a mapping or has a bad or unknown key;
            the message names the key and the file.
        """
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ValueError(f"{path} cannot be read as YAML: {error}") from error
        if not isinstance(raw, dict):
            raise ValueError(
                f"{path} holds {type(raw).__name__} at its top, not settings by name. "
                "See acquisition_configs/ for examples."
            )
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise ValueError(f"{path}: {describe(error)}") from error


class SegmentationSettings(Settings):
    """How an image is turned into cells."""

    model: str = Field(
        "starter",
        description="A registered model's name, or the path of a weights file.",
    )
    peak_threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        description="A region of the distance map above this seeds one cell (the paper's "
        "cells_max). Unset: the model's own, 0.47 for SAMCell.",
    )
    fill_threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        description="A cell reaches down to this height of the distance map (the paper's "
        "cell_fill). Unset: the model's own, 0.09 for SAMCell.",
    )
    prominence: float | None = Field(
        None,
        ge=0,
        le=1,
        description="A peak of the distance map seeds a cell of its own if the map falls "
        "by this much on the way to any higher peak. 0: each region above peak_threshold "
        "seeds one, as in the paper. Unset: the model's own, 0 for SAMCell.",
    )
    cell_diameter_um: PositiveFloat | None = Field(
        None,
        description="Typical cell diameter. Set, the image is resized so that cells have "
        "the size that the model was trained on; masks return on the original grid. Unset, "
        "the starter estimates it, and SAMCell takes the image as it is.",
    )
    cell_diameter_px: PositiveFloat | None = Field(
        None, description="The same in pixels, where the pixel size is not known."
    )
    min_area_um2: float = Field(
        0, ge=0, description="Smaller cells are dropped; 0 keeps all."
    )
    fill_holes: bool = Field(False, description="Give holes in a cell to that cell.")
    drop_border_cells: bool = Field(
        False, description="Drop the cells that the image's edge cuts."
    )
    preset: Preset = Field(
        "default",
        description="reference repeats, number for number, what the package samcell 1.2.0 "
        "does with SAMCell's weights: slower, for comparison.",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: WantedPrecision = Field(
        "auto",
        description="Number format in the network. auto: bfloat16 for the starter on a CPU "
        "that computes in it, else float32. Others than float32 are faster where the "
        "device has them, and move a few cells: see docs/performance.md.",
    )
    half_turn: bool | None = Field(
        None,
        description="Take the mean of what the network says of an image and of it turned "
        "by 180 degrees: twice the work. Unset: the starter does, SAMCell does not.",
    )
    compile: bool = Field(
        False,
        description="Compile the network for this device: a wait of minutes, then faster.",
    )
    batch_tiles: PositiveInt = Field(
        8, description="Tiles that go through the network at once."
    )

    @model_validator(mode="after")
    def _one_diameter(self) -> SegmentationSettings:
        if self.cell_diameter_um is not None and self.cell_diameter_px is not None:
            raise ValueError(
                f"cell_diameter_um is {self.cell_diameter_um} and cell_diameter_px is "
                f"{self.cell_diameter_px}. Give one of them."
            )
        return self

    @model_validator(mode="after")
    def _fill_is_below_peak(self) -> SegmentationSettings:
        peak, fill = self.peak_threshold, self.fill_threshold
        if peak is not None and fill is not None and fill > peak:
            raise ValueError(
                f"fill_threshold is {fill}, above peak_threshold, which is {peak}. "
                "A cell grows from peak down to fill: make fill the lower one."
            )
        return self

    @model_validator(mode="after")
    def _reference_goes_its_own_way(self) -> SegmentationSettings:
        for setting in ("prominence", "half_turn"):
            value = getattr(self, setting)
            if self.preset == "reference" and value:
                raise ValueError(
                    f"{setting} is {value}, but the preset reference does as the package "
                    "samcell 1.2.0, which knows no such thing. Leave one of the two out."
                )
        return self


class AnalysisSettings(Settings):
    """How a run is analysed."""

    name: str = Field(
        "cells", pattern=r"^[a-z0-9][a-z0-9_-]*$", description="Name of the result."
    )
    channel: str | None = Field(
        None, description="Channel with the cells. Unset: the first."
    )
    camera: NonNegativeInt = Field(
        0, description="Camera with the cells, where several are read at once; from 0."
    )
    plane: Plane = Field(
        "middle",
        description="What is segmented of a z-stack: its middle plane, a plane by its "
        "number from 0, the sharpest plane, or the brightest (max) or mean of all planes.",
    )
    order: Literal["oldest", "newest"] = Field(
        "oldest", description="Which waiting frame is analysed first. All are in the end."
    )
    segmentation: SegmentationSettings = SegmentationSettings()


class SimulatedMicroscope(Settings):
    """A growing culture, rendered: no hardware and no Micro-Manager needed."""

    kind: Literal["simulated"] = "simulated"
    seed: int = 1
    image_height_px: PositiveInt = 512
    image_width_px: PositiveInt = 512
    pixel_size_um: PositiveFloat = 0.87
    bits: Literal[12, 16] = 12
    doubling_time_h: PositiveFloat = 16.0
    seeding_density_per_mm2: PositiveFloat = 120.0
    well_pitch_um: PositiveFloat = Field(
        9000.0, description="Wells this far apart grow on their own."
    )
    speed: PositiveFloat = Field(
        1.0, description="Culture seconds per second of the sequence's clock."
    )


class MicroManager(Settings):
    """The user's own microscope, or Micro-Manager's demo configuration."""

    kind: Literal["micromanager"] = "micromanager"
    config: Path = Field(description="A Micro-Manager .cfg file.")
    pixel_size_um: PositiveFloat | None = Field(
        None, description="Overrides the configuration's own calibration."
    )


Microscope = Annotated[SimulatedMicroscope | MicroManager, Field(discriminator="kind")]


class RunSettings(Settings):
    """One experiment: the microscope, what it acquires, how that is analysed."""

    name: str = Field(
        "run", min_length=1, description="Shown at the head of the dashboard."
    )
    microscope: Microscope = SimulatedMicroscope()
    sequence: Sequence
    analysis: AnalysisSettings = AnalysisSettings()
    rules: tuple[Rule, ...] = Field(
        (), description="What the run does by itself when the culture has come so far."
    )
    raw: Raw = Field(
        "keep",
        description="keep: the store keeps every frame. spill: another program keeps them, "
        "and ours are removed once they are analysed and their checksum was right.",
    )
    memory_budget_mb: PositiveInt = Field(
        1024, description="Frames that wait for the disk hold at most this much memory."
    )
    keep_free_mb: NonNegativeInt = Field(
        512,
        description="The acquisition pauses while the disk has less room than this, and "
        "goes on when there is half as much again; 0 never pauses.",
    )

    @model_validator(mode="before")
    @classmethod
    def _take_a_plain_useq_file(cls, raw: Any) -> Any:
        """Let the sequence's keys stand at the top, as they do in useq's own files."""
        if not isinstance(raw, dict) or "sequence" in raw:
            return raw
        top = {
            name: value for name, value in raw.items() if name in MDASequence.model_fields
        }
        ours = {name: value for name, value in raw.items() if name not in top}
        return ours | {"sequence": top} if top else raw

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Read a configuration; relative paths in it start at the file's own folder.

        Weights that are not there are looked for where the command is run. A plain useq
        file runs with default settings on the simulated microscope.

        Raises
        ------
        ValueError
            As for all settings.
        """
        settings = super().from_yaml(path)
        analysis, microscope = settings.analysis, settings.microscope
        segmentation = analysis.segmentation.model_copy(
            update={"model": _model_beside(path, analysis.segmentation.model)}
        )
        analysis = analysis.model_copy(update={"segmentation": segmentation})
        if isinstance(microscope, MicroManager):
            config = (path.parent / microscope.config).absolute()
            microscope = microscope.model_copy(update={"config": config})
        return settings.model_copy(update={"analysis": analysis, "microscope": microscope})


def _model_beside(config: Path, model: str) -> str:
    """Give the path of a weights file that lies there; names, without suffix, stay."""
    beside = config.parent / Path(model).expanduser()
    return str(beside.absolute()) if beside.suffix and beside.is_file() else model


def describe(error: ValidationError) -> str:
    """Say in one line per fault what was found, where, and what was expected."""
    lines = []
    for fault in error.errors(include_url=False):
        where = ".".join(str(part) for part in fault["loc"]) or "the settings"
        if fault["type"] == "extra_forbidden":
            lines.append(f"{where} is not a setting here; check the spelling or remove it")
        elif fault["type"] == "missing":
            lines.append(f"{where} is missing")
        else:
            lines.append(f"{where}: {fault['msg']} (found {fault['input']!r:.80})")
    return "; ".join(lines)
