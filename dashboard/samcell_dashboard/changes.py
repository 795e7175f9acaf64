"""What changed since a browser last asked."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")


class ChangeLog(Generic[Key, Row]):
    """Keeps the order in which rows appeared or changed.

    A place in that order is all that a reader has to remember.

    Examples
    --------
    >>> log: ChangeLog[str, int] = ChangeLog()
    >>> log.update({"a": 1, "b": 2})
    >>> place = log.place
    >>> log.update({"a": 1, "b": 3})
    >>> log.since(place)
    {'b': 3}
    """

    def __init__(self) -> None:
        self._order: list[Key] = []
        self._rows: dict[Key, Row] = {}

    @property
    def place(self) -> int:
        """Where a reader stands who has seen everything."""
        return len(self._order)

    def update(self, rows: Mapping[Key, Row]) -> None:
        """Take note of the rows that are new or differ from what was known."""
        for key, row in rows.items():
            if self._rows.get(key) != row:
                self._rows[key] = row
                self._order.append(key)

    def since(self, place: int) -> dict[Key, Row]:
        """Latest value of every row that changed after `place`, oldest change first."""
        return {key: self._rows[key] for key in self._order[place:]}
