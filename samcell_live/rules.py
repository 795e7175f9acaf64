"""What a run does by itself when the culture has come so far: the words of its rules."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    PositiveFloat,
    PositiveInt,
    Tag,
    field_validator,
    model_validator,
)

from samcell_live.records import SeriesRow
from samcell_live.sequences import Sequence

ALL, EACH = "all", "each"
"""Groups: every position together, and every well (off a plate, position) for itself."""


class _Part(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """A part of a rule; misspelt names are errors."""


class When(_Part):
    """What has to be true of the culture."""

    column: str = Field("confluence", description="A column of the growth series.")
    group: str = Field(
        ALL,
        description="all: every position together. each: every well for itself, off a "
        "plate every position. Else the name of one well or position.",
    )
    statistic: Literal["median", "mean", "min", "max"] = Field(
        "median", description="Over the group's frames of one scan."
    )
    above: float | None = None
    below: float | None = None
    for_scans: PositiveInt = Field(
        1, description="It has to be true of this many scans, one after another."
    )

    @field_validator("column")
    @classmethod
    def _is_a_column(cls, column: str) -> str:
        if column not in SeriesRow._fields:
            raise ValueError(f"give one of {', '.join(SeriesRow._fields)}")
        return column

    @model_validator(mode="after")
    def _has_one_threshold(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("give either above or below, and not both")
        return self

    def __str__(self) -> str:
        side = (
            f"above {self.above:g}" if self.above is not None else f"below {self.below:g}"
        )
        return f"{self.statistic} {self.column} {side}"


class ChangeInterval(_Part):
    """From now on, scans follow one another at this distance."""

    interval_s: PositiveFloat = Field(description="On the sequence's clock.")

    def __str__(self) -> str:
        return f"interval {self.interval_s:g} s"


class Preset(_Part):
    """A named state of the microscope."""

    group: str
    name: str


class SetPreset(_Part):
    """Between two scans, the microscope is put into a state that it knows by name."""

    preset: Preset

    def __str__(self) -> str:
        return f"preset {self.preset.group}: {self.preset.name}"


class AcquireOnce(_Part):
    """Between two scans, something else is acquired, into a run of its own.

    Without positions of its own it visits those of the group.
    """

    sequence: Sequence

    @field_validator("sequence")
    @classmethod
    def _is_one_scan(cls, sequence: Sequence) -> Sequence:
        if sequence.time_plan is not None:
            raise ValueError("the run would stand still meanwhile: leave out its time_plan")
        return sequence

    def __str__(self) -> str:
        return "sequence"


def _kind(value: Any) -> str | None:
    """Tell the things to do apart by what they are called."""
    if isinstance(value, str):
        return "word"
    names = value if isinstance(value, dict) else getattr(type(value), "model_fields", ())
    kinds = ("interval_s", "preset", "sequence")
    return next((kind for kind in kinds if kind in names), None)


Word: TypeAlias = Literal["alert", "stop", "skip_wells"]

Then = Annotated[
    Annotated[Word, Tag("word")]
    | Annotated[ChangeInterval, Tag("interval_s")]
    | Annotated[SetPreset, Tag("preset")]
    | Annotated[AcquireOnce, Tag("sequence")],
    Discriminator(
        _kind,
        custom_error_type="not_an_action",
        custom_error_message="give alert, stop, skip_wells, or one of interval_s, preset "
        "and sequence with its value",
    ),
]


class Rule(_Part):
    """When the culture is so, then do this."""

    name: str = Field("", description="Shown when it fires. By default its condition.")
    when: When
    then: Then
    once: bool = Field(
        True, description="Whether it fires only once for a group, or at every scan."
    )

    @property
    def title(self) -> str:
        """What the rule is called."""
        return self.name or str(self.when)
