"""Things are made in order, here or in other processes."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from samcell_live.training.workers import made_ahead


def made_where(factor: int, number: int) -> tuple[int, int]:
    return factor * number, os.getpid()


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_everything_is_made_once_and_in_order(workers: int) -> None:
    made = list(made_ahead(partial(made_where, 3), range(4, 9), workers))

    assert [product for product, _ in made] == [12, 15, 18, 21, 24]
    in_this_process = {process == os.getpid() for _, process in made}
    assert in_this_process == {workers == 0}


def test_no_more_workers_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)

    made = list(made_ahead(partial(made_where, 1), range(6), workers=8))

    assert len({process for _, process in made}) == 1


def interrupt(_number: int) -> bool:
    os.kill(os.getpid(), signal.SIGINT)
    return True


def test_interrupting_is_left_to_the_process_that_trains() -> None:
    assert list(made_ahead(interrupt, range(2), workers=1)) == [True, True]


def fail(number: int) -> int:
    raise ValueError(f"Field {number} cannot be rendered.")


def test_what_cannot_be_made_says_why() -> None:
    with pytest.raises(ValueError, match=r"Field 7 cannot be rendered"):
        list(made_ahead(fail, range(7, 8), workers=1))
