"""A few frames in hand at once, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Self, TypeVar

Item = TypeVar("Item")

LOOK_S = 0.5
"""Windows lets no Ctrl-C into a longer wait."""


class Hands:
    """Threads that each do one piece of work; at most so many at once.

    Use it as a context manager: leaving it waits for what is in hand, unless it is left
    because of Ctrl-C, and raises the first error of a piece of work.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = threading.Semaphore(most)
        self._faults: list[Exception] = []

    @property
    def is_broken(self) -> bool:
        """Whether a piece of work raised, so that no more should be begun."""
        return bool(self._faults)

    def as_they_are_free(self, items: Iterable[Item]) -> Iterator[Item]:
        """Ask for each item when there is a hand free for it; for none after an error."""
        remaining = iter(items)
        while True:
            self._take()
            self._free.release()
            item = next(remaining, None)
            if item is None or self.is_broken:
                return
            yield item

    def do(self, work: Callable[[], object]) -> None:
        """Begin a piece of work as soon as a hand is free."""
        self._take()
        # A daemon, so that nobody who ends the process waits for it.
        threading.Thread(target=self._work, args=(work,), daemon=True).start()

    def _work(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised when the hands are left
            self._faults.append(error)
        finally:
            self._free.release()

    def _take(self) -> None:
        while not self._free.acquire(timeout=LOOK_S):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            return
        for _ in range(self._most):
            self._take()
        if self._faults:
            raise self._faults[0]
