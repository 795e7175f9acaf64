"""How fast the disk takes frames, and how much room it has."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from samcell_live.records import Frame, FrameKey
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.plan import Channel, RunPlan, View

MOST_FRAMES = 16
PATIENCE_S = 3.0


def nearest_folder(path: Path) -> Path:
    """Give the folder itself, or the lowest one above it that is there."""
    return next(folder for folder in (path, *path.resolve().parents) if folder.is_dir())


def free_bytes(folder: Path) -> float:
    """Free space of the disk that a folder is on."""
    return float(shutil.disk_usage(folder).free)


def seconds_per_frame(folder: Path, *, height_px: int, width_px: int, dtype: str) -> float:
    """Write some frames of noise as a run would, durably, and remove them again.

    Noise does not compress, so a real frame is no slower.

    Parameters
    ----------
    folder : Path
        Where the run is going to be; it exists.

    Returns
    -------
    float
        Median over a few frames, the first left out.

    Raises
    ------
    OSError
        If it cannot be written to.
    """
    plan = RunPlan(
        name="disk speed",
        source="replay",
        shape_tpgczcam=(MOST_FRAMES, 1, 1, 1, 1, 1),
        height_px=height_px,
        width_px=width_px,
        dtype="uint8" if dtype == "uint8" else "uint16",
        views=(View(path="0", name="noise"),),
        channels=(Channel(name="noise"),),
    )
    top = np.iinfo(plan.dtype).max
    noise = np.random.default_rng(0).integers(
        0, top, (height_px, width_px), dtype=plan.dtype, endpoint=True
    )
    times_s: list[float] = []
    with tempfile.TemporaryDirectory(prefix=".samcell-live-doctor-", dir=folder) as scratch:
        store = Path(scratch) / "run.ome.zarr"
        create_run(store, plan)
        writer = FrameWriter(store, plan)
        while len(times_s) < MOST_FRAMES and sum(times_s) < PATIENCE_S:
            frame = Frame(FrameKey(t=len(times_s)), noise, float("nan"))
            started = time.perf_counter()
            writer.write(frame)
            times_s.append(time.perf_counter() - started)
    return statistics.median(times_s[1:] or times_s)
