"""What goes wrong while a run is read, said in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_LETTERS = 300


class UnreadableRunError(Exception):
    """A run store is damaged, half-copied or out of reach."""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Name the run and the reason, but not the folder, if anything goes wrong inside.

    Raises
    ------
    UnreadableRunError
        In place of the error itself, which is its cause.
    """
    try:
        yield
    except Exception as error:  # a store of which parts are missing can fail in any way
        reason = " ".join(str(error).replace(str(path), path.name).split())
        reason = reason[:MAX_LETTERS].rstrip(".")
        raise UnreadableRunError(
            f"{path.name} cannot be read ({type(error).__name__}: {reason}). "
            "If it was copied here, see that it was copied whole."
        ) from error
