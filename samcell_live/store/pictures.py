"""One picture of a whole z-stack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np

from samcell_live.records import Pixels


def project(planes: Iterable[Pixels], how: Literal["max", "mean"]) -> Pixels:
    """Project the planes of a stack, at least one, into one picture of their type.

    Parameters
    ----------
    planes : iterable of (height, width) uint8 or uint16
        Asked for one after the other, so that a stack is never in memory whole.
    how : {"max", "mean"}
        The brightest, or the mean rounded to whole counts.

    Examples
    --------
    >>> low, high = np.array([[1, 9]], np.uint16), np.array([[4, 2]], np.uint16)
    >>> project([low, high], "max").tolist(), project([low, high], "mean").tolist()
    ([[4, 9]], [[2, 6]])
    """
    iterator = iter(planes)
    first = next(iterator)
    if how == "max":
        brightest = first.copy()
        for plane in iterator:
            np.maximum(brightest, plane, out=brightest)
        return brightest
    total, n_planes = first.astype(np.uint32), 1
    for plane in iterator:
        total += plane
        n_planes += 1
    mean = np.rint(total / n_planes)
    return mean.astype(np.uint8) if first.dtype == np.uint8 else mean.astype(np.uint16)
