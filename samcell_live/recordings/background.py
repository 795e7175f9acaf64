"""One step of a chain in a thread of its own, so that steps overlap."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_background(work: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[Made]:
    """Do what `map` does, but work on the next item while the caller uses the last.

    Never more than two results wait, so that memory does not grow with the items. The
    items themselves are drawn in the caller's thread.

    Examples
    --------
    >>> list(in_background(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    thread = ThreadPoolExecutor(max_workers=1)
    waiting: deque[Future[Made]] = deque()
    try:
        for item in items:
            waiting.append(thread.submit(work, item))
            if len(waiting) > 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        thread.shutdown(cancel_futures=True)
