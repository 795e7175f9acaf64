"""What distinguishes one cell line from another, besides its size."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CellLine:
    """How cells look, beside the fibroblasts that are drawn unless something is said."""

    elongation: float = 1.0
    """How long their ellipses are; 0 is round."""
    tips: float = 1.0
    """How far protrusions reach; 0 has none, as in an epithelium."""
    lobes: float = 1.0
    """How uneven the outline is."""
    roundness: float = 0.0
    """Of the flattest cells: 1 never spreads, as in suspension."""
    thickness: float = 1.0
    """Of the cell's body, and with it the contrast in phase."""
    contents: float = 1.0
    """Contrast of granules, vacuoles, nuclei and folds."""


FIBROBLASTS = CellLine()
