"""A run of unknown length grows as frames come, and is read meanwhile."""

from pathlib import Path

import numpy as np
import pytest
from builders import commit_cells, frame, plan, results_of

from samcell_live.records import FrameKey, RunShape
from samcell_live.store import layout
from samcell_live.store.arrays import open_array
from samcell_live.store.check import check_store
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.plan import GROWTH_T, RunPlan
from samcell_live.store.processes import ACQUISITION, ProcessRecord
from samcell_live.store.reader import RunReader

OPEN = plan(RunShape(t=GROWTH_T, p=2), is_open=True)
LATER = GROWTH_T + 3


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_run(tmp_path / "run", OPEN, [])
    return tmp_path / "run"


def test_nothing_is_expected_before_it_comes(path: Path) -> None:
    reader = RunReader(path)
    assert reader.counts("cells") == (0, 0, 0, 0, 0, 0)
    FrameWriter(path, OPEN).write(frame(FrameKey(t=5)))
    assert reader.counts("cells") == (1, 1, 0, 0, 0, 1)


def test_a_reader_that_is_open_sees_a_run_grow(path: Path) -> None:
    reader, writer = RunReader(path), FrameWriter(path, OPEN)
    assert reader.plan.shape.t == GROWTH_T
    writer.write(frame(FrameKey(t=1)), frame(FrameKey(t=LATER, p=1)))
    assert reader.plan.shape.t == 2 * GROWTH_T
    assert len(reader.frames()) == reader.plan.shape.n_slots
    wanted = frame(FrameKey(t=LATER, p=1)).pixels
    assert np.array_equal(reader.frame(FrameKey(t=LATER, p=1)).pixels, wanted)
    frames = reader.frames()
    slot = reader.plan.shape.slot(FrameKey(t=LATER, p=1))
    assert (frames.loc[slot, "t"], frames.loc[slot, "p"]) == (LATER, 1)
    assert frames.loc[slot, "rank"] == 1


def test_results_grow_behind_the_frames(path: Path) -> None:
    reader, writer = RunReader(path), FrameWriter(path, OPEN)
    results = results_of(path, OPEN)
    for t in (0, LATER):
        writer.write(frame(FrameKey(t=t)))
    assert reader.waiting("cells").tolist() == [0, 2 * LATER]
    for t in (0, LATER):
        commit_cells(results, FrameKey(t=t), 3)
    assert reader.counts("cells") == (2, 2, 0, 2, 0, 0)
    assert reader.series("cells")["t"].tolist() == [0, LATER]
    assert len(reader.cells(FrameKey(t=LATER), "cells")) == 3


def test_a_run_ends_with_its_last_timepoint(path: Path) -> None:
    writer, results = FrameWriter(path, OPEN), results_of(path, OPEN)
    for t in (0, LATER):
        writer.write(frame(FrameKey(t=t)))
        commit_cells(results, FrameKey(t=t), 2)
    writer.trim()
    reader = RunReader(path)
    results.last(reader.plan.shape.t)
    with ProcessRecord(path, ACQUISITION):
        pass
    assert reader.plan.shape.t == LATER + 1
    for array in (layout.raw("0"), layout.labels("0", "cells")):
        assert open_array(path / array).shape[0] == LATER + 1
    assert check_store(path) == []
    assert f'SizeT="{LATER + 1}"' in (path / "OME" / "METADATA.ome.xml").read_text()


def test_both_sides_go_on_after_a_restart(path: Path) -> None:
    FrameWriter(path, OPEN).write(frame(FrameKey(t=LATER)))
    commit_cells(results_of(path, OPEN), FrameKey(t=LATER), 1)
    plan_now: RunPlan = RunReader(path).plan
    FrameWriter(path, plan_now).write(frame(FrameKey(t=LATER + 1)))
    commit_cells(results_of(path, plan_now), FrameKey(t=LATER + 1), 1)
    reader = RunReader(path)
    assert reader.counts("cells") == (2, 2, 0, 2, 0, 0)
    assert sorted(reader.rank()[reader.acquired()]) == [0, 1]
