"""Names for the arrays of the simulation."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
"""(n_cells,), or (n_cells, ...), one row per cell."""

Map: TypeAlias = npt.NDArray[np.float32]
"""(height, width), or (n_pixels,) where only pixels inside cells are meant."""

Identities: TypeAlias = npt.NDArray[np.uint64]
"""(n_cells,): the number that a cell keeps for life."""
