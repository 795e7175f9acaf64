"""The wells and positions of a sequence, by the names that people give them."""

from __future__ import annotations

from collections.abc import Mapping, Set

from useq import MDASequence

from samcell_live.store.plan import plate_row_name


def positions_by_name(sequence: MDASequence) -> Mapping[str, Set[int]]:
    """Say which positions belong to each well, or to each name off a plate.

    Examples
    --------
    >>> positions_by_name(MDASequence(stage_positions=[{"x": 0, "name": "left"}, (1, 0)]))
    {'left': {0}, 'Position 2': {1}}
    """
    named: dict[str, set[int]] = {}
    for p, position in enumerate(sequence.stage_positions):
        row: int | None = getattr(position, "plate_row", None)
        column: int | None = getattr(position, "plate_col", None)
        well = None
        if row is not None and column is not None:
            well = f"{plate_row_name(row)}{column + 1}"
        name = well or position.name or f"Position {p + 1}"
        named.setdefault(name, set()).add(p)
    return named or {"Position 1": {0}}
