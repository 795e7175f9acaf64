"""Numbers as people read them."""

from __future__ import annotations

import math

UNKNOWN = "—"


def duration(seconds: float) -> str:
    """Say a span of time in its largest fitting unit.

    Examples
    --------
    >>> [duration(s) for s in (12, 95, 3600 * 3.25, 86400 * 4)]
    ['12 s', '1.6 min', '3.2 h', '4.0 days']
    """
    if not math.isfinite(seconds):
        return UNKNOWN
    for unit_s, name in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= (2 if name == "days" else 1) * unit_s:
            return f"{seconds / unit_s:.1f} {name}"
    return f"{seconds:.0f} s"


def amount(number: int, noun: str) -> str:
    """Count things.

    Examples
    --------
    >>> amount(1, "frame"), amount(0, "frame")
    ('1 frame', '0 frames')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def percent(fraction: float, digits: int = 1) -> str:
    """Write a fraction as a percentage.

    Examples
    --------
    >>> percent(0.4321), percent(float("nan"))
    ('43.2 %', '—')
    """
    return f"{fraction * 100:.{digits}f} %" if math.isfinite(fraction) else UNKNOWN


def hours_between(low: float, high: float) -> str:
    """Write an interval of hours, whose end may be open.

    Examples
    --------
    >>> hours_between(15.21, 17), hours_between(15.21, math.inf)
    ('15.2 to 17.0 h', '15.2 h or more')
    """
    return f"{low:.1f} to {high:.1f} h" if math.isfinite(high) else f"{low:.1f} h or more"
