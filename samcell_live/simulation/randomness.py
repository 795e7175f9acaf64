"""Randomness that depends on what it is for, never on the order of the calls."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b

import numpy as np

from samcell_live.simulation.arrays import Floats, Identities


def stream(purpose: str, *numbers: float) -> np.random.Generator:
    """Open the random stream of a purpose; the same purpose, the same numbers.

    Examples
    --------
    >>> stream("noise", 7, 0.5).random() == stream("noise", 7.0, 0.5).random()
    True
    """
    plain = [float(number) + 0.0 for number in numbers]  # -0.0 is 0.0
    digest = blake2b(f"{purpose} {plain}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest))


def trait(identity: Identities, name: str) -> Floats:
    """Draw a lasting property of each cell from its identity (splitmix64).

    Parameters
    ----------
    identity : (n_cells,) uint64
        Number that a cell keeps for life.
    name : str
        Which property; those of different names are independent.

    Returns
    -------
    (n_cells,) float64
        Uniform in [0, 1).
    """
    z = identity + _salt(name)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.asarray((z >> np.uint64(11)) * 2.0**-53)


@cache
def _salt(name: str) -> np.uint64:
    return np.uint64(int.from_bytes(blake2b(name.encode(), digest_size=8).digest()))
