"""Reading what is to be acquired, so that no key is dropped in silence."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator
from useq import MDASequence


def _sequence(value: Any) -> Any:
    """Refuse misspelt keys that useq itself would drop in silence."""
    if isinstance(value, dict):
        sequence = MDASequence.model_validate(value)
        _refuse_unknown_keys(value, sequence, "sequence")
        _refuse_steps_back(sequence)
        return sequence
    return value


def _refuse_steps_back(sequence: MDASequence) -> None:
    """Refuse what useq takes as it is: going back in time, standing still in z."""
    plan = sequence.time_plan
    for phase in getattr(plan, "phases", [plan]):
        for name in {"interval", "duration"} & set(
            getattr(type(phase), "model_fields", ())
        ):
            if (seconds := getattr(phase, name).total_seconds()) < 0:
                raise ValueError(
                    f"sequence.time_plan.{name} is {seconds:g} s. Give 0 s or more."
                )
    step = getattr(sequence.z_plan, "step", None)
    if step is not None and not step > 0:
        raise ValueError(f"sequence.z_plan.step is {step:g} um. Give more than 0 um.")


def _refuse_unknown_keys(given: Any, parsed: Any, where: str) -> None:
    if isinstance(given, dict) and isinstance(parsed, BaseModel):
        known = set(type(parsed).model_fields) | {
            field.alias for field in type(parsed).model_fields.values() if field.alias
        }
        unknown = sorted(set(given) - known)
        if unknown:
            raise ValueError(
                f"{where} has the unknown key {unknown[0]!r}; "
                f"known here: {', '.join(sorted(known))}."
            )
        for name, value in given.items():
            _refuse_unknown_keys(value, getattr(parsed, name, None), f"{where}.{name}")
    elif isinstance(given, list) and isinstance(parsed, list | tuple):
        for place, (one, other) in enumerate(zip(given, parsed, strict=False)):
            _refuse_unknown_keys(one, other, f"{where}[{place}]")


Sequence: TypeAlias = Annotated[MDASequence, BeforeValidator(_sequence)]
"""A useq sequence; unknown keys are refused by name."""
