"""What the system keeps in memory of files that were written: the last, not all."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from pathlib import Path

KEPT_BYTES = 2**26
"""A worker that keeps up finds its frames in memory."""


class RecentFiles:
    """Gives back the system's memory for all but the last files that were written.

    Else a run of days fills the page cache with frames that nobody reads again, and each
    new one takes memory that something else used, or that no one did: costly where the
    machine is a virtual one. Where the system takes no such advice, nothing is done.

    Parameters
    ----------
    most_bytes : int
        Together the files that stay are at most this long; the last one always stays.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._files: deque[tuple[Path, int]] = deque()
        self._n_bytes = 0

    def add(self, file: Path) -> None:
        """Take note of a file that is safe on disk."""
        with suppress(OSError):  # a share that is away: the next file is written, or not
            self._files.append((file, file.stat().st_size))
            self._n_bytes += self._files[-1][1]
        while self._n_bytes > self._most_bytes and len(self._files) > 1:
            earliest, n_bytes = self._files.popleft()
            self._n_bytes -= n_bytes
            _release(earliest)


def _release(file: Path) -> None:
    if not hasattr(os, "posix_fadvise"):  # macOS and Windows
        return
    with suppress(OSError):  # a file that is gone needs no memory
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
