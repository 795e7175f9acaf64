"""Randomness that depends on what it is for, never on the order of the calls."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt


def stream(*purpose: int | float | str) -> np.random.Generator:
    """Open the random stream that belongs to a purpose; the same purpose, the same numbers.

    Examples
    --------
    >>> stream("noise", 7, 0.5).random() == stream("noise", 7, 0.5).random()
    True
    """
    plain = [part + 0.0 if isinstance(part, float) else part for part in purpose]
    digest = blake2b(repr(plain).encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest))


def trait(identity: npt.NDArray[np.uint64], purpose: int) -> npt.NDArray[np.float64]:
    """Draw one lasting property of each cell from its identity (splitmix64).

    Parameters
    ----------
    identity : (n_cells,) uint64
        Number that a cell keeps for life.
    purpose : int
        Which property; each needs a number of its own.

    Returns
    -------
    (n_cells,) float64
        Uniform in [0, 1).
    """
    z = identity + np.uint64((purpose + 1) * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.asarray((z >> np.uint64(11)) * 2.0**-53)
