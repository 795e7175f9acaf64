"""A stack is segmented once, and its cells are measured in every channel."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from builders import FindsSquares, acquired_run, frame, plan, results_of, squares

from samcell_live.analysis.examination import Examination
from samcell_live.analysis.queue import waiting_frames
from samcell_live.records import Frame, FrameKey, RunShape
from samcell_live.store import layout
from samcell_live.store.arrays import open_array
from samcell_live.store.channels import cells_in_all_channels
from samcell_live.store.check import check_store
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.plan import Channel, RunPlan
from samcell_live.store.processes import ACQUISITION, ProcessRecord
from samcell_live.store.reader import RunReader

N_CELLS = 3


def work_off(path: Path, network: FindsSquares) -> RunReader:
    reader = RunReader(path)
    results = results_of(path, reader.plan)
    examination = Examination(reader, "cells", network)
    for key in waiting_frames(reader, "cells"):
        result = examination(reader.frame(key))
        results.commit(key, result.row, labels=result.labels, cells=result.cells)
    return reader


def recorded(path: Path, run_plan: RunPlan, frames: Iterable[Frame]) -> Path:
    """A run with these frames on disk, whose acquisition is over."""
    create_run(path, run_plan)
    writer = FrameWriter(path, run_plan)
    for one in frames:
        writer.write(one)
    with ProcessRecord(path, ACQUISITION):
        pass
    return path


def stack(stack: str = "max", **changes: Any) -> RunPlan:
    return plan(RunShape(z=3), stack=stack, segment_z=2, **changes)


def planes(*places: int, c: int = 0) -> list[Frame]:
    return [frame(FrameKey(z=z, c=c)) for z in places]


@pytest.mark.parametrize("how", ["max", "mean"])
def test_a_projection_is_made_of_all_planes(tmp_path: Path, how: str) -> None:
    network, there = FindsSquares(N_CELLS), planes(0, 1, 2)
    reader = work_off(recorded(tmp_path / "run", stack(how), there), network)
    cube = np.stack([one.pixels for one in there])
    wanted = cube.max(0) if how == "max" else np.rint(cube.mean(0)).astype(np.uint16)
    (seen,) = network.seen
    assert seen.key == FrameKey(z=2)
    assert np.array_equal(seen.pixels, wanted)
    assert np.array_equal(reader.picture(FrameKey(z=2), "cells"), wanted)
    series = reader.series("cells")
    assert series["cell_count"].tolist()[2] == N_CELLS
    assert series["n_planes"].tolist()[2] == 3
    assert series["plane"].isna().all()
    assert series["focus"].notna().all()
    assert reader.counts("cells") == (3, 3, 0, 3, 0, 0)
    assert check_store(reader.path) == []


def test_the_sharpest_plane_is_segmented(tmp_path: Path) -> None:
    there = planes(0, 1, 2)
    blurred = [
        one
        if one.key.z == 1
        else replace(one, pixels=cv2.GaussianBlur(one.pixels, (0, 0), 3).astype(np.uint16))
        for one in there
    ]
    network = FindsSquares(N_CELLS)
    reader = work_off(recorded(tmp_path / "run", stack("sharpest"), blurred), network)
    assert np.array_equal(network.seen[0].pixels, there[1].pixels)
    assert reader.series_value("plane", FrameKey(z=2), "cells") == 1
    assert np.array_equal(reader.picture(FrameKey(z=2), "cells"), there[1].pixels)


def test_a_stack_that_lacks_a_plane_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    network = FindsSquares(N_CELLS)
    reader = work_off(recorded(tmp_path / "run", stack(), planes(0, 1)), network)
    assert [one.key for one in network.seen] == [FrameKey(z=1)]
    assert reader.series_value("n_planes", FrameKey(z=1), "cells") == 2
    assert "lacks 1 of its planes; the 2 that are there are taken" in caplog.text
    assert reader.counts("cells") == (3, 2, 1, 2, 0, 0)


def test_one_plane_of_a_stack_is_segmented_and_the_others_are_judged(
    tmp_path: Path,
) -> None:
    network = FindsSquares(N_CELLS)
    run_plan = plan(RunShape(z=3), segment_z=1)
    reader = work_off(recorded(tmp_path / "run", run_plan, planes(0, 1, 2)), network)
    assert [one.key for one in network.seen] == [FrameKey(z=1)]
    assert reader.series_value("plane", FrameKey(z=1), "cells") == 1
    assert len(reader.cells(FrameKey(z=0), "cells")) == 0


CHANNELS = (Channel(name="GFP"), Channel(name="phase"), Channel(name="DAPI"))


def test_cells_are_measured_in_every_channel_with_the_same_labels(tmp_path: Path) -> None:
    run_plan = plan(RunShape(t=2, c=3), segment_c=1, channels=CHANNELS)
    acquired_run(tmp_path / "run", run_plan)
    network = FindsSquares(N_CELLS)
    reader = work_off(tmp_path / "run", network)
    assert [one.key for one in network.seen] == [FrameKey(t=t, c=1) for t in (0, 1)]
    cells = cells_in_all_channels(reader, FrameKey(t=1), "cells")
    inside = squares(N_CELLS) == 2
    for channel, name in ((0, "_GFP"), (1, ""), (2, "_DAPI")):
        wanted = frame(FrameKey(t=1, c=channel)).pixels[inside]
        assert cells.loc[2, f"mean_counts{name}"] == pytest.approx(wanted.mean())
        assert cells.loc[2, f"max_counts{name}"] == wanted.max()
    assert reader.series("cells")["cell_count"].notna().sum() == 2
    assert reader.counts("cells") == (6, 6, 0, 6, 0, 0)
    assert check_store(reader.path) == []


def test_a_channel_that_came_first_is_measured_after_a_restart(tmp_path: Path) -> None:
    run_plan = plan(RunShape(c=3), segment_c=1, channels=CHANNELS)
    acquired_run(tmp_path / "run", run_plan)
    reader = RunReader(tmp_path / "run")
    results = results_of(reader.path, run_plan)
    examination = Examination(reader, "cells", FindsSquares(N_CELLS))
    first = next(waiting_frames(reader, "cells"))
    result = examination(reader.frame(first))
    results.commit(first, result.row, labels=result.labels, cells=result.cells)
    assert first == FrameKey(c=1)
    network = FindsSquares(N_CELLS)
    work_off(reader.path, network)
    assert network.seen == []
    assert cells_in_all_channels(reader, first, "cells")["mean_counts_DAPI"].notna().all()


def test_a_channel_that_was_not_acquired_is_unknown(tmp_path: Path) -> None:
    run_plan = plan(RunShape(c=3), segment_c=1, channels=CHANNELS)
    there = [frame(FrameKey(c=c)) for c in (0, 1)]
    reader = work_off(recorded(tmp_path / "run", run_plan, there), FindsSquares(N_CELLS))
    cells = cells_in_all_channels(reader, FrameKey(), "cells")
    assert cells["mean_counts_GFP"].notna().all()
    assert cells["mean_counts_DAPI"].isna().all()


def test_other_channels_are_measured_in_the_same_picture_of_the_stack(
    tmp_path: Path,
) -> None:
    two = CHANNELS[:2]
    run_plan = plan(RunShape(c=2, z=3), segment_c=1, segment_z=2, stack="max", channels=two)
    there = [*planes(0, 1, 2), *planes(0, 1, 2, c=1)]
    reader = work_off(recorded(tmp_path / "run", run_plan, there), FindsSquares(N_CELLS))
    brightest = np.stack([one.pixels for one in there[:3]]).max(0)
    cells = cells_in_all_channels(reader, FrameKey(), "cells")
    wanted = brightest[squares(N_CELLS) == 1].mean()
    assert cells.loc[1, "mean_counts_GFP"] == pytest.approx(wanted)


def test_a_frame_that_changed_on_disk_is_not_believed(tmp_path: Path) -> None:
    run_plan = plan(RunShape(t=1))
    acquired_run(tmp_path / "run", run_plan)
    raw = open_array(tmp_path / "run" / layout.raw(run_plan.views[0].path))
    raw[0, 0, 0, 0].write(np.uint16(1)).result()
    with pytest.raises(ValueError, match="are not those that the camera gave"):
        RunReader(tmp_path / "run").frame(FrameKey())
    (finding,) = check_store(tmp_path / "run")
    assert "not those that the camera gave" in finding.what
