"""How this process takes the memory of images from the system."""

from __future__ import annotations

import ctypes
import sys

# From glibc's malloc.h, where they are part of its stable interface.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8

KEPT_BYTES = 2**30
"""Most freed memory that is kept for the next image."""


def reuse_freed_memory() -> bool:
    """Let the memory of images that are done with serve those that come.

    glibc, the C library of most Linux systems, gives the memory of an image back when it
    is freed, and takes it anew for the next, where the system has to find and clear every
    page. With several images in hand that can take longer than copying one: the camera's
    thread waited 9 to 13 ms for the memory of a frame of 8 MB that it fills in 1
    (``docs/decisions/0020-memory.md``). Up to `KEPT_BYTES` are kept instead, for all
    threads together where they have not begun to allocate yet.

    Elsewhere this does nothing.

    Returns
    -------
    bool
        Whether it does anything.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    options = {
        M_MMAP_THRESHOLD: KEPT_BYTES,
        M_TRIM_THRESHOLD: KEPT_BYTES,
        M_ARENA_MAX: 1,
    }
    taken = [mallopt(option, value) for option, value in options.items()]
    return all(taken)
