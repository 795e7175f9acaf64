"""Make a run store: everything that is known before the first frame."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from samcell_live.records import FrameKey, FrameRow
from samcell_live.store import layout, metadata
from samcell_live.store.arrays import Array, create_array, sync_folder, wait, write_group
from samcell_live.store.plan import RunPlan

NOT_EXPECTED = -1
"""Value of the ``rank`` column for slots that the sequence never visits."""

FRAME_MARKS = {"acquired": "uint8", "crc32": "uint32", "removed": "uint8"}
"""Columns that say of each frame whether it is on disk, what its pixels sum up to (0: not
known), and whether it was removed again when its result was safe."""

COLUMN_CHUNK = 1024
"""Rows of a column in one file: 8 kB, rewritten for each frame."""

MOST_AT_ONCE = 8
"""Columns that are made at once: each waits for the disk a few times."""


def create_run(
    path: Path, plan: RunPlan, expected: Iterable[FrameKey] | None = None
) -> None:
    """Make the store of a run at `path`, complete or not at all.

    Parameters
    ----------
    path : Path
        Folder to make; by custom it ends in ``.ome.zarr``.
    plan : RunPlan
        What the run is going to be.
    expected : iterable of FrameKey, optional
        Frames that the run is to bring, in the order in which they are acquired. By
        default every slot of its shape, in slot order.

    Raises
    ------
    FileExistsError
        If something is at `path` already.
    OSError
        If it cannot be written; then nothing is left behind.
    """
    if path.exists():
        raise FileExistsError(
            f"{path} exists already, and a run never overwrites another. "
            "Give another --store, or move the old one away."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        _create_images(partial, plan)
        _create_frames(partial, plan, expected)
        partial.rename(path)
    except BaseException:  # Ctrl-C, too, leaves no half of a run
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(path.parent)


def _create_images(root: Path, plan: RunPlan) -> None:
    write_group(root, metadata.root_attributes(plan))
    if plan.has_plate:
        for well, attributes in metadata.well_attributes(plan).items():
            write_group(root / well.split("/", 1)[0])
            write_group(root / well, attributes)
    else:
        write_group(root / layout.OME, metadata.series_attributes(plan))
        metadata.write_ome_xml(root, plan)
    shape = plan.shape
    plane = (plan.height_px, plan.width_px)
    stack = (shape.t, shape.c * shape.cam, *([shape.z] if plan.has_z else []))
    for view in plan.views:
        write_group(root / view.path, metadata.image_attributes(plan, view))
        create_array(
            root / layout.raw(view.path),
            shape=(*stack, *plane),
            chunks=(*[1] * len(stack), *plane),
            dtype=plan.dtype,
            dimension_names=metadata.axis_names(plan),
            codec="raw",
        )


def _create_frames(root: Path, plan: RunPlan, expected: Iterable[FrameKey] | None) -> None:
    attributes = {"schema": layout.SCHEMA_VERSION, "plan": plan.model_dump(mode="json")}
    write_group(root / layout.SAMCELL, attributes)
    write_group(root / layout.SAMCELL / "analyses")
    write_group(root / layout.SAMCELL / "processes")
    write_group(root / layout.FRAMES)
    n_slots = plan.shape.n_slots
    keys = key_columns(plan)
    columns = create_columns(
        root / layout.FRAMES,
        n_slots,
        dict.fromkeys(FrameRow._fields, ("float64", np.nan))
        | {name: (dtype, 0) for name, dtype in FRAME_MARKS.items()}
        | dict.fromkeys(keys, ("int32", 0))
        | {"rank": ("int32", NOT_EXPECTED)},
    )
    ranks = np.full(n_slots, NOT_EXPECTED, dtype=np.int32)
    wanted = plan.shape.all_keys() if expected is None else expected
    slots = [plan.shape.slot(key) for key in wanted]
    ranks[slots] = np.arange(len(slots))
    wait(
        columns["rank"].write(ranks),
        *[columns[name].write(places) for name, places in keys.items()],
    )


def key_columns(plan: RunPlan) -> dict[str, npt.NDArray[np.int32]]:
    """Where each slot lies on each axis, by the axis."""
    places = np.array(list(plan.shape.all_keys()), dtype=np.int32)
    return dict(zip(FrameKey._fields, places.T, strict=True))


def add_column(path: Path, n_slots: int, dtype: str, fill_value: float = 0) -> None:
    """Make a column that a run of an earlier version lacks."""
    if not (path / "zarr.json").is_file():
        create_column(path, n_slots, dtype, fill_value)


def create_columns(
    folder: Path, n_slots: int, kinds: Mapping[str, tuple[str, float]]
) -> dict[str, Array]:
    """Make per-frame columns of these names, dtypes and fill values, side by side."""

    def create(name: str) -> Array:
        dtype, fill_value = kinds[name]
        return create_column(folder / name, n_slots, dtype, fill_value)

    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        return dict(zip(kinds, pool.map(create, kinds), strict=True))


def create_column(path: Path, n_slots: int, dtype: str, fill_value: float = 0) -> Array:
    """Make one per-frame column."""
    return create_array(
        path,
        shape=(n_slots,),
        chunks=(COLUMN_CHUNK,),
        dtype=dtype,
        dimension_names=["frame"],
        fill_value=fill_value,
    )
