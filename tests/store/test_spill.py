"""Raw frames that another program keeps are removed when their results are safe."""

from pathlib import Path

import numpy as np
import pytest
from builders import acquired_run, commit_cells, plan, results_of

from samcell_live.records import FrameKey, RunShape, SeriesRow
from samcell_live.store.check import check_store
from samcell_live.store.frames import frame_file
from samcell_live.store.reader import RawNotKeptError, RunReader
from samcell_live.store.spill import Spill

PLAN = plan(RunShape(t=3), raw="spill")


def test_a_frame_is_removed_when_it_has_its_result_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "run"
    acquired_run(path, PLAN)
    results = results_of(path, PLAN)
    spill = Spill(path, "cells")
    assert spill.sweep(may_come=True) == 0
    commit_cells(results, FrameKey(t=0), 2)
    results.fail(FrameKey(t=1), "too dark")
    there = [frame_file(path, PLAN, FrameKey(t=t)) for t in range(3)]
    assert all(file.is_file() for file in there)
    assert spill.sweep(may_come=True) == 1
    assert [file.is_file() for file in there] == [False, True, True]
    assert spill.sweep(may_come=True) == 0


def test_what_was_removed_is_said_not_to_be_kept_and_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "run"
    acquired_run(path, PLAN)
    results = results_of(path, PLAN)
    for t in range(3):
        commit_cells(results, FrameKey(t=t), 2)
    assert Spill(path, "cells").sweep(may_come=False) == 3
    reader = RunReader(path)
    with pytest.raises(RawNotKeptError, match=r"frame\(t=1\) was not kept"):
        reader.pixels(FrameKey(t=1))
    assert reader.removed().all()
    assert len(reader.cells(FrameKey(t=1), "cells")) == 2
    assert check_store(path) == []


def test_a_frame_that_somebody_else_removed_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "run"
    acquired_run(path, PLAN)
    frame_file(path, PLAN, FrameKey(t=1)).unlink()
    (finding,) = check_store(path)
    assert finding.where == "frame(t=1)"


def test_a_stack_is_kept_whole_until_it_is_analysed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    stack = plan(RunShape(z=3), raw="spill", stack="max", segment_z=2)
    acquired_run(path, stack)
    results = results_of(path, stack)
    for z in (0, 1):
        results.commit(FrameKey(z=z), SeriesRow())
    spill = Spill(path, "cells")
    assert spill.sweep(may_come=True) == 0
    commit_cells(results, FrameKey(z=2), 2)
    assert spill.sweep(may_come=True) == 3


def test_channels_are_kept_until_the_last_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "run"
    channels = plan(RunShape(c=2), raw="spill")
    acquired_run(path, channels)
    results = results_of(path, channels)
    commit_cells(results, FrameKey(c=0), 2)
    spill = Spill(path, "cells")
    assert spill.sweep(may_come=True) == 0
    results.commit(FrameKey(c=1), SeriesRow(), cells=np.ones((2, 17), np.float32))
    assert spill.sweep(may_come=True) == 2
