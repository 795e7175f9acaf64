"""Small runs, frames and results, made in a line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from samcell_live.records import (
    CellRow,
    Frame,
    FrameKey,
    FrameRow,
    Labels,
    Making,
    RunShape,
    Segmentation,
    SeriesRow,
)
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.plan import Channel, RunPlan, View, plate_row_name
from samcell_live.store.processes import ACQUISITION, ProcessRecord
from samcell_live.store.results import ResultsWriter, open_analysis

HEIGHT_PX, WIDTH_PX = 24, 32
MAKING = Making("starter", "abc123", "starter", "samcell_live 0", "cpu", "float32", {})


SHAPE = RunShape(t=3, p=2)
FIRST = FrameKey()


def plan(shape: RunShape = SHAPE, *, plate: bool = False, **changes: Any) -> RunPlan:
    """Plan of a small run: 24 x 32 pixels of 0.5 um."""
    places = [(p, g) for p in range(shape.p) for g in range(shape.g)]
    fields: dict[str, Any] = {
        "name": "test run",
        "source": "simulated",
        "shape_tpgczcam": (shape.t, shape.p, shape.g, shape.c, shape.z, shape.cam),
        "height_px": HEIGHT_PX,
        "width_px": WIDTH_PX,
        "pixel_size_um": 0.5,
        "bits": 12,
        "views": tuple(
            View(
                path=f"{plate_row_name(0)}/{n + 1}/0" if plate else str(n),
                name=f"view {n}",
                p=p,
                g=g,
                row=0 if plate else None,
                column=n if plate else None,
            )
            for n, (p, g) in enumerate(places)
        ),
        "channels": tuple(Channel(name=f"channel {c}") for c in range(shape.c)),
        "plate_rows": 2 if plate else None,
        "plate_columns": 3 if plate else None,
        "interval_s": 3600.0,
    }
    return RunPlan(**(fields | changes))


def frame(key: FrameKey = FIRST, *, seed: int = 0, **row: float) -> Frame:
    """A frame of noise of the size of `plan`."""
    random = np.random.default_rng([seed, *key])
    pixels = random.integers(100, 4000, (HEIGHT_PX, WIDTH_PX), dtype=np.uint16)
    return Frame(key, pixels, 0.5, FrameRow(**({"elapsed_s": 3600.0 * key.t} | row)))


def squares(n_cells: int) -> Labels:
    """Label image with cells of 4 x 4 pixels, side by side with gaps."""
    labels = np.zeros((HEIGHT_PX, WIDTH_PX), dtype=np.int32)
    for cell in range(n_cells):
        row, column = divmod(cell, WIDTH_PX // 6)
        labels[6 * row : 6 * row + 4, 6 * column : 6 * column + 4] = cell + 1
    return labels


def segmentation(n_cells: int) -> Segmentation:
    """Segmentation whose cells are `squares`."""
    labels = squares(n_cells)
    return Segmentation(labels, (labels > 0).astype(np.float32), MAKING)


class FindsSquares:
    """Network that finds `squares` in every picture, and remembers the pictures."""

    def __init__(self, n_cells: int, inference_ms: float = 1.0) -> None:
        self.seen: list[Frame] = []
        self._answer = segmentation(n_cells), inference_ms

    def prepare(self, one: Frame) -> Any:
        self.seen.append(one)
        return one

    def __call__(self, prepared: Any) -> tuple[Segmentation, float]:
        return self._answer


def cell_rows(n_cells: int) -> npt.NDArray[np.float32]:
    """Cell table that goes with `squares`."""
    table = np.zeros((n_cells, len(CellRow._fields)), dtype=np.float32)
    table[:, CellRow._fields.index("area_px")] = 16
    return table


def acquired_run(path: Path, run_plan: RunPlan | None = None) -> FrameWriter:
    """Run store with every frame on disk, and its acquisition over."""
    run_plan = run_plan or plan()
    create_run(path, run_plan)
    writer = FrameWriter(path, run_plan)
    for key in run_plan.shape.all_keys():
        writer.write(frame(key))
    with ProcessRecord(path, ACQUISITION):
        pass
    return writer


def when_waited_for(write: Callable[..., None]) -> Callable[..., Callable[[], None]]:
    """Disk for a spool that writes frames only when they are waited for."""
    return lambda *some: partial(write, *some)


def commit_cells(results: ResultsWriter, key: FrameKey, n_cells: int) -> None:
    """Commit a result with `squares`."""
    row = SeriesRow(confluence=n_cells * 16 / (HEIGHT_PX * WIDTH_PX), cell_count=n_cells)
    results.commit(key, row, labels=squares(n_cells), cells=cell_rows(n_cells))


def results_of(path: Path, run_plan: RunPlan, name: str = "cells") -> ResultsWriter:
    """Writer of a new analysis."""
    return open_analysis(path, run_plan, name, MAKING)
