"""Nobody waits for company, those who wait share, and each hears of its own error."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from samcell_live.together import Together


class Counter:
    """Does its first group when it is let go; remembers what was done at once."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.is_at_it = threading.Event()
        self.may_go_on = threading.Event()

    def do(self, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        self.is_at_it.set()
        assert self.may_go_on.wait(10)
        if 13 in items:
            raise ValueError(f"13 among {len(items)}")
        return [-item for item in items]


def done_at_once(
    counter: Counter, together: Together[int, int], items: Sequence[int]
) -> list[Future[int]]:
    """Bring the first item, and the others while it is done."""
    with ThreadPoolExecutor(len(items)) as pool:
        answers = [pool.submit(together, items[0])]
        assert counter.is_at_it.wait(10)
        for n_waiting, item in enumerate(items[1:], start=1):
            answers.append(pool.submit(together, item))
            while len(together._waiting) < n_waiting:
                pass
        counter.may_go_on.set()
    return answers


def test_the_first_does_not_wait_and_those_behind_it_go_together() -> None:
    counter = Counter()
    answers = done_at_once(counter, Together(counter.do), [1, 2, 3, 4])
    assert counter.groups == [[1], [2, 3, 4]]
    assert [answer.result() for answer in answers] == [-1, -2, -3, -4]


def test_no_more_go_together_than_fit() -> None:
    counter = Counter()
    together = Together(counter.do, n_at_once=lambda waiting: min(2, len(waiting)))
    answers = done_at_once(counter, together, [1, 2, 3, 4])
    assert counter.groups == [[1], [2, 3], [4]]
    assert [answer.result() for answer in answers] == [-1, -2, -3, -4]


def test_an_error_is_heard_of_only_by_whose_it_is() -> None:
    counter = Counter()
    answers = done_at_once(counter, Together(counter.do), [1, 2, 13, 4])
    assert counter.groups == [[1], [2, 13, 4], [2], [13], [4]]
    assert [answers[place].result() for place in (0, 1, 3)] == [-1, -2, -4]
    with pytest.raises(ValueError, match="13 among 1"):
        answers[2].result()
