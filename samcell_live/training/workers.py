"""Other processes that make ready what training waits for."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import cv2
from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


def made_ahead(make: Callable[[int], T], numbers: range, workers: int) -> Iterator[T]:
    """Make one thing for each number, in order, in other processes if there are any.

    Parameters
    ----------
    make : callable
        Makes the thing of a number, and can be pickled.
    numbers : range
    workers : int
        Processes, of which no more are started than there are processors. 0: each
        thing is made here, when it is asked for.

    Returns
    -------
    iterator
        What `make` made.
    """
    loader: DataLoader[Any] = DataLoader(
        _Made(make, len(numbers)),
        batch_size=None,
        sampler=numbers,
        num_workers=min(workers, os.cpu_count() or 1),
        collate_fn=_as_it_is,
        worker_init_fn=leave_interrupts_to_the_trainer,
    )
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # set in a forked process, it waits for threads that are not there
    try:
        return iter(loader)
    finally:
        cv2.setNumThreads(threads)


class _Made(Dataset[T], Generic[T]):
    """What a function makes, as torch's loaders take it."""

    def __init__(self, make: Callable[[int], T], length: int) -> None:
        self._make = make
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int) -> T:
        return self._make(number)


def _as_it_is(made: T) -> T:
    return made


def leave_interrupts_to_the_trainer(_worker: int) -> None:
    """Let Ctrl-C, which a terminal sends to workers too, end no worker by itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
