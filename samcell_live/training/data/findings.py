"""What may be wrong with labelled images, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SHOWN = 5
"""Labels that a finding names; the rest is counted."""


class Kind(StrEnum):
    """Each way in which an image or its truth can be wrong or odd."""

    UNREADABLE = "unreadable"
    SHAPE_MISMATCH = "shape mismatch"
    NOT_FINITE = "not finite"
    BLANK = "blank image"
    NO_CELLS = "no cells"
    BINARY = "binary mask"
    SEVERAL_PIECES = "one number, several pieces"
    WAIST = "one number, several cells?"
    ZERO_AREA = "no area"
    TINY = "tiny"
    SPECKS = "specks"
    NUMBERS_FULL = "numbers used up"
    DUPLICATE = "duplicate"
    LEAK = "in several parts"
    NO_TRUTH = "no mask"
    UNMARKED = "cells without outline"
    GAPS = "gaps in numbers"
    OVERLAP = "overlap"
    CUT = "cut by others"
    IGNORED = "ignored region"

    @property
    def is_problem(self) -> bool:
        """Whether somebody has to look at it; the others are only good to know."""
        return self not in _NOTES


_NOTES = {
    Kind.SPECKS,
    Kind.UNMARKED,
    Kind.GAPS,
    Kind.OVERLAP,
    Kind.CUT,
    Kind.IGNORED,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found in one image."""

    kind: Kind
    count: int
    """Of cells, pixels or images, whichever it is about."""
    detail: str


@dataclass(frozen=True, slots=True)
class ImageReport:
    """What is known of one labelled image."""

    name: str
    split: str
    height_px: int | None
    width_px: int | None
    """None where the image cannot be read."""
    n_cells: int | None
    """None where the truth cannot be read."""
    fingerprint: str
    """Of the pixels: two images of one fingerprint are the same; empty if unknown."""
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Findings that somebody has to look at."""
        return tuple(finding for finding in self.findings if finding.kind.is_problem)


def about_labels(kind: Kind, labels: Iterable[int], what: str) -> list[Finding]:
    """One finding about some labels, naming the first few; none if there are none."""
    numbers = sorted(labels)
    if not numbers:
        return []
    named = ", ".join(map(str, numbers[:SHOWN]))
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    plural = "s" if len(numbers) > 1 else ""
    return [Finding(kind, len(numbers), f"label{plural} {named}{more}: {what}")]
