"""The cells of one place and time with their intensity in every channel."""

from __future__ import annotations

import numpy as np
import pandas as pd

from samcell_live.records import FrameKey
from samcell_live.store.reader import RunReader

INTENSITIES = ["mean_counts", "min_counts", "max_counts"]


def cells_in_all_channels(reader: RunReader, key: FrameKey, analysis: str) -> pd.DataFrame:
    """Put the measurements of all channels and cameras beside each other.

    Parameters
    ----------
    reader : RunReader
        The run.
    key : FrameKey
        Any frame of the place and time.
    analysis : str
        Name of the analysis.

    Returns
    -------
    pandas.DataFrame
        One row per cell, indexed by label: the columns of `CellRow` in the segmented
        channel, then ``mean_counts``, ``min_counts`` and ``max_counts`` of each other
        channel and camera with its name behind, such as ``mean_counts_GFP``; NaN where
        that was not acquired.
    """
    plan = reader.plan
    carriers = reader.stacks(analysis, may_come=False).carriers()[key.t, key.p, key.g]

    def measured(c: int, cam: int) -> pd.DataFrame:
        z = max(0, int(carriers[c, cam]))
        return reader.cells(key._replace(c=c, z=z, cam=cam), analysis)

    cells = measured(plan.segment_c, plan.segment_cam)
    for c, cam in np.ndindex(plan.shape.c, plan.shape.cam):
        if (c, cam) != (plan.segment_c, plan.segment_cam):
            counts = measured(c, cam)[INTENSITIES]
            cells = cells.join(counts.add_suffix(f"_{plan.picture_name(c, cam)}"))
    return cells
