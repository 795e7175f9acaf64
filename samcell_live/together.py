"""Work that threads bring one by one, done at once for all who wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Together(Generic[Item, Answer]):
    """Something that only one thread may do at a time, and that many can share.

    A thread that comes while nobody is at it begins at once. Those that come meanwhile
    wait, and one of them then does the work of all. So nobody waits for company, and the
    busier it is the more is shared.

    Parameters
    ----------
    do : callable
        Answers several items, in their order. If it raises, each item is tried alone.
    n_at_once : callable, optional
        How many of the waiting items, the first included, can be done at once. Unset: all.

    Examples
    --------
    >>> double = Together(lambda numbers: [2 * number for number in numbers])
    >>> double(21)
    42
    """

    def __init__(
        self,
        do: Callable[[Sequence[Item]], Sequence[Answer]],
        n_at_once: Callable[[Sequence[Item]], int] = len,
    ) -> None:
        self._do = do
        self._n_at_once = n_at_once
        self._waiting: deque[tuple[Item, Future[Answer]]] = deque()
        self._is_at_it = False
        self._changed = threading.Condition()

    def __call__(self, item: Item) -> Answer:
        """Have an item done, and wait for its answer; raises what doing it raises."""
        mine: Future[Answer] = Future()
        with self._changed:
            self._waiting.append((item, mine))
        while not mine.done():
            group = self._take_turn(mine)
            if group:
                self._answer(group)
                with self._changed:
                    self._is_at_it = False
                    self._changed.notify_all()
        return mine.result()

    def _take_turn(self, mine: Future[Answer]) -> list[tuple[Item, Future[Answer]]]:
        """Wait for the answer, which gives no group, or for the turn to make answers."""
        with self._changed:
            self._changed.wait_for(lambda: mine.done() or not self._is_at_it)
            if mine.done():
                return []
            n_items = self._n_at_once([item for item, _ in self._waiting])
            self._is_at_it = True
            return [self._waiting.popleft() for _ in range(n_items)]

    def _answer(self, group: Sequence[tuple[Item, Future[Answer]]]) -> None:
        try:
            answers = self._do([item for item, _ in group])
        except Exception as error:  # noqa: BLE001 - raised where the item came from
            if len(group) == 1:
                group[0][1].set_exception(error)
            else:
                for one in group:
                    self._answer([one])
        else:
            for (_, future), answer in zip(group, answers, strict=True):
                future.set_result(answer)
