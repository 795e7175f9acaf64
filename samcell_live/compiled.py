"""Loops over pixels, compiled to machine code when they are first called."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numpy as np
from numba import njit

logger = logging.getLogger(__name__)

ZERO = cast("int", np.int64(0))
"""What a compiled loop counts from. A bare 0 is a type of its own to numba: whatever is
called with it would be compiled a second time."""

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function with numba; calls run without Python's global lock.

    The machine code is kept beside the source, or where that is read-only in the user's
    cache folder (or ``NUMBA_CACHE_DIR``), so that only the first process compiles. Where
    no folder can be written, every process compiles for itself. numba renews what it
    keeps when the function's own file changes, not when one that it imports from does.

    Parameters
    ----------
    function : callable
        Loops over arrays, in the part of Python that numba knows. Indices are not
        checked: a wrong one corrupts memory, so callers check shapes and ranges.
    """
    try:
        return cast("Callable[P, R]", njit(function, nogil=True, cache=True))
    except RuntimeError as error:  # numba finds no folder to write to
        logger.debug("%s is compiled anew in every process: %s", function.__name__, error)
        return cast("Callable[P, R]", njit(function, nogil=True))
