"""How well cells are found, outlined and counted.

Every measure comes from one table of which cells overlap (`count_overlaps`).
"""

from __future__ import annotations

from samcell_live.training.metrics.average_precision import (
    IOU_PERCENTS,
    Hits,
    average_precision,
    count_hits,
    f1,
    pool_hits,
)
from samcell_live.training.metrics.cell_tracking import (
    Matching,
    det,
    match_cells,
    match_overlaps,
    op_csb,
    pool,
    seg,
)
from samcell_live.training.metrics.counts import confluence_error, count_error
from samcell_live.training.metrics.overlaps import LabelImage, Overlaps, count_overlaps

__all__ = [
    "IOU_PERCENTS",
    "Hits",
    "LabelImage",
    "Matching",
    "Overlaps",
    "average_precision",
    "confluence_error",
    "count_error",
    "count_hits",
    "count_overlaps",
    "det",
    "f1",
    "match_cells",
    "match_overlaps",
    "op_csb",
    "pool",
    "pool_hits",
    "seg",
]
