"""The map of a run: wells of a plate, or positions of the stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from samcell_live.store.plan import RunPlan, View, plate_row_name

Arrangement: TypeAlias = Literal["plate", "stage", "list"]

ROOM = (0.16, 0.2)
"""Room that a place needs on a stage map to be tapped: fractions of width and height."""


@dataclass(frozen=True, slots=True)
class Site:
    """One place to tap: a well, or a position off a plate."""

    name: str
    views: tuple[int, ...]
    """Places in the plan's list of views: the fields of a well."""
    across: float
    """Column of a plate from 0, or fraction of a stage map's width."""
    down: float
    """Row of a plate from 0, or fraction of a stage map's height."""


@dataclass(frozen=True, slots=True)
class SiteMap:
    """Where the sites of a run are drawn."""

    arrangement: Arrangement
    sites: tuple[Site, ...]
    rows: tuple[str, ...] = ()
    """Names of a plate's rows; empty off a plate."""
    columns: tuple[str, ...] = ()
    aspect: float = 1.6
    """Width over height of a stage map."""


def site_map(plan: RunPlan) -> SiteMap:
    """Draw a plate as a plate, spread positions on the stage, and list the others."""
    if plan.plate_rows is not None and plan.plate_columns is not None:
        return SiteMap(
            "plate",
            _wells(plan.views),
            rows=tuple(plate_row_name(row) for row in range(plan.plate_rows)),
            columns=tuple(str(column + 1) for column in range(plan.plate_columns)),
        )
    spread = _stage_fractions(plan.views)
    if spread is None:
        listed = [Site(view.name, (i,), 0, 0) for i, view in enumerate(plan.views)]
        return SiteMap("list", tuple(listed))
    placed = [
        Site(view.name, (i,), float(x), float(y))
        for i, (view, (x, y)) in enumerate(zip(plan.views, spread, strict=True))
    ]
    return SiteMap("stage", tuple(placed), aspect=_aspect(plan.views))


class _Well(NamedTuple):
    row: int
    column: int


def _wells(views: Sequence[View]) -> tuple[Site, ...]:
    fields: dict[_Well, list[int]] = {}
    for i, view in enumerate(views):
        if view.row is not None and view.column is not None:
            fields.setdefault(_Well(view.row, view.column), []).append(i)
    return tuple(
        Site(views[members[0]].well or "", tuple(members), well.column, well.row)
        for well, members in sorted(fields.items())
    )


def _stage_fractions(views: Sequence[View]) -> npt.NDArray[np.float64] | None:
    """(n_views, 2) x and y on a map with margins; None if places would cover each other."""
    stage_um = np.array(
        [
            (np.nan if v.x_um is None else v.x_um, np.nan if v.y_um is None else v.y_um)
            for v in views
        ]
    )
    if len(views) < 2 or not np.isfinite(stage_um).all():
        return None
    low, extent = stage_um.min(axis=0), np.ptp(stage_um, axis=0)
    flat = extent == 0
    fractions = np.where(flat, 0.5, (stage_um - low) / np.where(flat, 1, extent))
    fractions = 0.12 + 0.76 * fractions
    apart = np.abs(fractions[:, np.newaxis] - fractions) >= ROOM
    crowded = ~apart.any(axis=2) & ~np.eye(len(views), dtype=bool)
    return None if crowded.any() else fractions


def _aspect(views: Sequence[View]) -> float:
    """Shape of the stage map: that of the positions' extent, but never a mere strip."""
    width_um = np.ptp([view.x_um or 0.0 for view in views])
    height_um = np.ptp([view.y_um or 0.0 for view in views])
    return float(np.clip(width_um / max(height_um, 1e-9), 1.2, 2.6))


class SiteState(NamedTuple):
    """What the map shows of one site now."""

    site: int
    confluence: float | None
    """Median over the site's fields of the latest result, 0 to 1."""
    fill: str | None
    """Colour of the place on the Cividis scale; None: nothing known, drawn hatched."""
    ink: str
    """Colour of letters on it."""
    flag: str
    """What is wrong with the latest frame, in words; empty if nothing."""
    latest: tuple[int, ...]
    """Newest timepoint to show of each field; -1 before the first frame."""
