"""Where a sequence drives the focus, and how to keep it where the user put it.

useq starts from z = 0 wherever it is told no z: every well of a well-plate plan has z = 0,
and a z-stack around a position without z is a stack around 0. On a real microscope that
is an objective in the plate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from useq import MDASequence, Position, WellPlatePlan


def without_plate_z(sequence: MDASequence) -> tuple[MDASequence, tuple[int, int] | None]:
    """Take the z = 0 out of a well-plate plan, which would drive the focus there.

    A well plate is planned in x and y only, so the focus is left where the user put it.

    Returns
    -------
    sequence : useq.MDASequence
        The same wells as plain positions with no z.
    plate : (int, int) or None
        Rows and columns of the plate; None if there was no well-plate plan.
    """
    wells = sequence.stage_positions
    if not isinstance(wells, WellPlatePlan):
        return sequence, None
    positions = [well.replace(z=None) for well in wells]
    return sequence.replace(stage_positions=positions), (
        wells.plate.rows,
        wells.plate.columns,
    )


def stacked_from(sequence: MDASequence, focus_um: float) -> MDASequence:
    """Let z-stacks that say no z begin from the focus as it stands, not from 0.

    Examples
    --------
    >>> sequence = MDASequence(stage_positions=[(0, 0)], z_plan={"range": 2, "step": 1})
    >>> [event.z_pos for event in stacked_from(sequence, 50.0)]
    [49.0, 50.0, 51.0]
    """
    positions = list(sequence.stage_positions)
    if not positions and _stacks_around(sequence.z_plan):
        positions = [Position()]
    if not any(_starts_from_nowhere(sequence, positions)):
        return sequence
    placed = [
        position.replace(z=focus_um)
        if position.z is None and _is_stack(sequence, position)
        else position
        for position in positions
    ]
    return sequence.replace(stage_positions=placed)


def focus_trap(sequence: MDASequence) -> str:
    """Say where a sequence will drive the focus to 0 though nobody asked; else nothing."""
    positions = list(sequence.stage_positions)
    wells = [position for position in positions if _is_well(position)]
    if wells and all(well.z == 0 for well in wells):
        what = f"all {len(wells)} wells of this sequence have z = 0"
    elif any(_starts_from_nowhere(sequence, positions)):
        what = "this sequence takes z-stacks around positions that have no z"
    else:
        return ""
    return (
        f"{what[0].upper()}{what[1:]}, so the microscope drives the focus to 0. The "
        "sequence is another program's and cannot be changed from here: stop it if the "
        "cells are not in focus at 0, and give the positions a z. 'samcell-live run' "
        "leaves the focus where it is."
    )


def _starts_from_nowhere(sequence: MDASequence, positions: list[Any]) -> Iterator[bool]:
    for position in positions:
        yield position.z is None and _is_stack(sequence, position)
    if not positions:
        yield _stacks_around(sequence.z_plan)


def _is_stack(sequence: MDASequence, position: Any) -> bool:
    own = position.sequence.z_plan if position.sequence is not None else None
    return _stacks_around(own or sequence.z_plan)


def _stacks_around(z_plan: Any) -> bool:
    return z_plan is not None and bool(z_plan.is_relative)


def _is_well(position: Any) -> bool:
    return getattr(position, "plate_row", None) is not None
