"""Has the culture come so far? A table of results in, the groups that have out."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import NamedTuple

import numpy as np
import pandas as pd

from samcell_live.rules import ALL, EACH, When

ENOUGH = 0.5
"""A scan counts if more than this share of a group's frames have a number."""


class Crossing(NamedTuple):
    """A group of which a condition is true."""

    group: str
    t: int
    """The newest scan of those that made it true."""
    values: tuple[float, ...]
    """What was measured in them, the newest last."""


def crossings(
    when: When, positions: Mapping[str, Set[int]], frames: pd.DataFrame
) -> list[Crossing]:
    """Find the groups of which a condition is true now.

    Only complete scans are looked at: the median of half a plate is not the median of the
    plate. Failed frames have no number; a scan in which most have none says nothing,
    neither for the condition nor against it.

    Parameters
    ----------
    when : When
        The condition.
    positions : mapping
        Positions of each well, or each position off a plate, by its name.
    frames : DataFrame
        The frames that are expected and in which cells are looked for: ``t``, ``p``,
        ``value`` (NaN: none) and ``is_settled``, which is False while a result may still
        come.

    Returns
    -------
    list of Crossing
        At most one for a group.

    Raises
    ------
    ValueError
        If there is no such group.
    """
    found = []
    for group, members in _groups(when.group, positions).items():
        scans = _scans(frames[frames["p"].isin(list(members))], when.statistic)
        newest = scans.iloc[-when.for_scans :]
        low = -np.inf if when.above is None else when.above
        high = np.inf if when.below is None else when.below
        is_true = (newest > low) & (newest < high)
        if len(newest) == when.for_scans and is_true.all():
            found.append(Crossing(group, int(newest.index[-1]), tuple(map(float, newest))))
    return found


def _groups(wanted: str, positions: Mapping[str, Set[int]]) -> Mapping[str, Set[int]]:
    if wanted == EACH:
        return positions
    if wanted == ALL:
        return {ALL: set().union(*positions.values())}
    if wanted not in positions:
        raise ValueError(
            f"A rule is about the group {wanted!r}, but this run has {ALL}, {EACH}, "
            f"{', '.join(positions)}. Name one of these."
        )
    return {wanted: positions[wanted]}


def _scans(frames: pd.DataFrame, statistic: str) -> pd.Series[float]:
    """One number for each complete scan that has one, by timepoint."""
    by_t = frames.groupby("t")
    is_told = by_t["is_settled"].all() & (by_t["value"].count() > ENOUGH * by_t.size())
    return by_t["value"].agg(statistic)[is_told]
