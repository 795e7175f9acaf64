"""The worker gives every frame one result or one reason, whatever happens."""

import shutil
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from builders import FindsSquares, acquired_run, commit_cells, frame, plan, results_of

from samcell_live.analysis import examination, queue, worker
from samcell_live.analysis.examination import Result, find_cells
from samcell_live.analysis.hands import Hands
from samcell_live.analysis.queue import waiting_frames
from samcell_live.analysis.worker import WorkInterruptedError, analyse, analyse_run
from samcell_live.analysis.worker_health import FATAL_ATTEMPTS
from samcell_live.records import Frame, FrameKey, Labels, RunShape, SeriesRow
from samcell_live.settings import AnalysisSettings
from samcell_live.store import layout
from samcell_live.store.arrays import write_group
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.processes import ACQUISITION, ProcessRecord, analysis_role
from samcell_live.store.reader import RunReader
from samcell_live.store.results import ResultsWriter


class Notebook:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.done: list[FrameKey] = []
        self.failed: dict[FrameKey, str] = {}

    def commit(
        self,
        key: FrameKey,
        row: SeriesRow,
        *,
        labels: Labels | None = None,
        cells: npt.NDArray[np.float32] | None = None,
    ) -> None:
        self.done.append(key)

    def fail(self, key: FrameKey, reason: str) -> None:
        self.failed[key] = reason


KEYS = [FrameKey(t=t) for t in range(3)]


def test_one_bad_frame_does_not_end_the_run() -> None:
    def examine_frame(one: Frame) -> Result:
        if one.key.t == 1:
            raise RuntimeError("CUDA out of memory")
        return Result(SeriesRow())

    notebook = Notebook()
    analyse(KEYS, frame, examine_frame, notebook)
    assert notebook.done == [KEYS[0], KEYS[2]]
    assert notebook.failed == {KEYS[1]: "RuntimeError: CUDA out of memory"}


def test_a_frame_that_cannot_be_read_is_a_failure_with_its_reason() -> None:
    def read(key: FrameKey) -> Frame:
        raise OSError("chunk is damaged")

    notebook = Notebook()
    analyse(KEYS[:1], read, lambda one: Result(SeriesRow()), notebook)
    assert notebook.failed == {KEYS[0]: "OSError: chunk is damaged"}


def test_a_result_that_cannot_be_stored_ends_the_worker_loudly() -> None:
    class FullDisk(Notebook):
        def commit(self, *arguments: object, **options: object) -> None:
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        analyse(KEYS, frame, lambda one: Result(SeriesRow()), FullDisk())


def test_frames_are_read_examined_and_committed_side_by_side() -> None:
    all_at_it = threading.Barrier(3)

    def read(key: FrameKey) -> Frame:
        if key.t == 0:
            all_at_it.wait(10)
        return frame(key)

    def examine_frame(one: Frame) -> Result:
        if one.key.t == 1:
            all_at_it.wait(10)
        return Result(SeriesRow())

    class MeetsTheOthers(Notebook):
        def commit(self, key: FrameKey, *arguments: Any, **options: Any) -> None:
            if key.t == 2:
                all_at_it.wait(10)
            super().commit(key, *arguments, **options)

    notebook = MeetsTheOthers()
    in_hand_no_more: list[FrameKey] = []
    analyse(
        KEYS, read, examine_frame, notebook,
        hands=Hands(3), on_done=in_hand_no_more.append,
    )  # fmt: skip
    assert sorted(notebook.done) == sorted(in_hand_no_more) == KEYS
    assert notebook.failed == {}


def test_a_frame_with_cells_is_counted_and_measured() -> None:
    result = find_cells(frame(), 12, FindsSquares(5, inference_ms=12.5))
    assert result.row.cell_count == 5
    assert result.row.confluence == pytest.approx(5 * 16 / (24 * 32))
    assert result.row.inference_ms == 12.5
    assert result.cells is not None
    assert len(result.cells) == 5


@pytest.mark.parametrize(
    ("order", "expected"), [("oldest", [0, 2, 3, 4, 5]), ("newest", [5, 4, 3, 2, 0])]
)
def test_the_queue_gives_each_waiting_frame_once(
    tmp_path: Path, order: str, expected: list[int]
) -> None:
    acquired_run(tmp_path / "run")
    results = results_of(tmp_path / "run", plan())
    commit_cells(results, plan().shape.key(1), 1)
    reader = RunReader(tmp_path / "run")
    slots = []
    for key in waiting_frames(reader, "cells", order=order):  # type: ignore[arg-type]
        slots.append(reader.plan.shape.slot(key))
        results.fail(key, "no matter")
    assert slots == expected


def test_the_queue_follows_a_running_acquisition_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "run"
    writer = acquired_run(path, plan(RunShape(t=3)))
    # Begin again: nothing acquired, and the acquisition at work.
    from samcell_live.store.arrays import open_array

    open_array(path / layout.frame_column("acquired"))[:].write(
        np.zeros(3, np.uint8)
    ).result()
    seen = []
    with ProcessRecord(path, ACQUISITION) as acquisition:
        writer.write(frame(FrameKey(t=0)))
        for key in waiting_frames(RunReader(path), "cells", follow=True):
            seen.append(key.t)
            if key.t < 2:
                writer.write(frame(FrameKey(t=key.t + 1)))
            else:
                acquisition.end("finished")
    assert seen == [0, 1, 2]


def test_the_queue_hears_of_a_frame_before_its_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "POLL_S", 60)
    path = tmp_path / "run"
    create_run(path, plan())
    writer = FrameWriter(path, plan())
    with ProcessRecord(path, ACQUISITION):
        writer.write(frame(FrameKey(t=0)))
        keys = waiting_frames(RunReader(path), "cells", follow=True)
        assert next(keys) == FrameKey(t=0)
        started = time.monotonic()
        later = threading.Timer(0.2, writer.write, [frame(FrameKey(t=1))])
        later.start()
        assert next(keys) == FrameKey(t=1)
        assert time.monotonic() - started < 30
        later.join()


def test_the_queue_does_not_wait_for_a_store_that_is_gone(tmp_path: Path) -> None:
    create_run(tmp_path / "run", plan())
    reader = RunReader(tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(FileNotFoundError, match="is there no more"):
        next(waiting_frames(reader, "cells", follow=True))


def test_the_queue_stops_when_asked(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    stop = threading.Event()
    keys = waiting_frames(RunReader(tmp_path / "run"), "cells", is_over=stop.is_set)
    next(keys)
    stop.set()
    assert list(keys) == []


def worker_that_died(path: Path, **health: str) -> None:
    """Leave the record of a worker that is no more."""
    role = analysis_role("cells")
    with ProcessRecord(path, role):
        running = RunReader(path).process(role)
    assert running is not None
    killed = replace(running, state="running", pid=2**22 + 1, health=health)
    write_group(path / layout.process(role), asdict(killed))


def test_a_frame_that_killed_the_worker_twice_is_marked_failed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    acquired_run(path, plan(RunShape(t=2)))
    worker_that_died(path, attempting="0", attempts='{"0": 1}')
    counts = analyse_run(path, AnalysisSettings())
    reader = RunReader(path)
    assert (counts.analysed, counts.failed) == (1, 1)
    assert reader.failure(0, "cells") == f"the worker died {FATAL_ATTEMPTS} times on it"


def test_frames_in_hand_when_a_worker_died_are_each_tried_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run"
    acquired_run(path)
    worker_that_died(path, attempting="1 2", attempts='{"4": 1}')
    reader = RunReader(path)
    recorded: dict[int, str] = {}

    def find_noting(one: Frame, *arguments: Any) -> Result:
        state = reader.process(analysis_role("cells"))
        assert state is not None
        slot = plan().shape.slot(one.key)
        recorded[slot] = str(state.health["attempting"])
        return find_cells(one, *arguments)

    monkeypatch.setattr(examination, "find_cells", find_noting)
    assert analyse_run(path, AnalysisSettings()).analysed == 6
    assert all(str(slot) in in_hand.split() for slot, in_hand in recorded.items())
    assert [recorded[slot] for slot in (1, 2, 4)] == ["1", "2", "4"]
    last = reader.process(analysis_role("cells"))
    assert last is not None
    assert last.health["attempts"] == "{}"


def test_a_result_that_cannot_be_stored_ends_a_worker_that_waits_for_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError("RESOURCE_EXHAUSTED: No space left on device")

    path = tmp_path / "run"
    acquired_run(path, plan(RunShape(t=1)))
    monkeypatch.setattr(ResultsWriter, "commit", full)
    with (
        ProcessRecord(path, ACQUISITION),
        pytest.raises(WorkInterruptedError, match="No space left"),
    ):
        analyse_run(path, AnalysisSettings(), follow=True)


@pytest.mark.parametrize(("side_px", "most"), [(512, 6), (2048, 6), (5000, 2), (9000, 1)])
def test_the_larger_the_frames_the_fewer_are_in_hand(side_px: int, most: int) -> None:
    assert worker._most_in_hand(plan(height_px=side_px, width_px=side_px)) == most


def test_a_disk_that_fills_up_interrupts_the_work_and_the_frame_stays_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError("RESOURCE_EXHAUSTED: No space left on device")

    path = tmp_path / "run"
    acquired_run(path)
    monkeypatch.setattr(ResultsWriter, "commit", full)
    with pytest.raises(WorkInterruptedError, match=r"No space left.*goes on from there"):
        analyse_run(path, AnalysisSettings())
    monkeypatch.undo()
    assert RunReader(path).counts("cells").waiting == 6
    assert analyse_run(path, AnalysisSettings()).analysed == 6


def test_a_run_is_worked_off_once_and_for_all(tmp_path: Path) -> None:
    path = tmp_path / "run"
    acquired_run(path)
    told: list[FrameKey] = []
    counts = analyse_run(path, AnalysisSettings(), on_frame=told.append)
    assert counts == (6, 6, 0, 6, 0, 0)
    assert len(told) == 6
    assert analyse_run(path, AnalysisSettings(), on_frame=told.append) == counts
    assert len(told) == 6
