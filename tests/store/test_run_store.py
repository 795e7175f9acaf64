"""What is written to a run store is read back, and nothing else is."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import (
    MAKING,
    acquired_run,
    commit_cells,
    frame,
    plan,
    results_of,
    squares,
)
from hypothesis import given
from hypothesis import strategies as st

from samcell_live.records import FrameKey, RunShape, SeriesRow
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.reader import RunReader
from samcell_live.store.results import open_analysis

sizes = st.integers(1, 4)


@given(st.builds(RunShape, t=sizes, p=sizes, g=sizes, c=sizes, z=sizes, cam=sizes))
def test_every_frame_of_a_run_has_a_slot_of_its_own(shape: RunShape) -> None:
    keys = list(shape.all_keys())
    assert [shape.slot(key) for key in keys] == list(range(shape.n_slots))
    assert len(set(keys)) == shape.n_slots


def test_a_longer_run_keeps_the_slots_of_a_shorter_one() -> None:
    key = FrameKey(t=1, p=2, c=1)
    assert RunShape(t=2, p=3, c=2).slot(key) == RunShape(t=9, p=3, c=2).slot(key)


def test_a_frame_outside_the_run_is_refused() -> None:
    with pytest.raises(ValueError, match=r"frame\(t=0, p=5\) lies outside this run"):
        RunShape(t=2, p=3).slot(FrameKey(p=5))


@pytest.mark.parametrize(
    ("shape", "plate"),
    [
        (RunShape(t=2, p=3), False),
        (RunShape(t=2, p=3), True),
        (RunShape(t=2, p=1, g=2, c=2, z=3), False),
        (RunShape(t=1, p=2, c=1, cam=2), False),
    ],
)
def test_frames_come_back_as_they_went_in(
    tmp_path: Path, shape: RunShape, plate: bool
) -> None:
    path = tmp_path / "run.ome.zarr"
    run_plan = plan(shape, plate=plate)
    acquired_run(path, run_plan)
    reader = RunReader(path)
    assert reader.plan == run_plan
    for key in shape.all_keys():
        stored, given_frame = reader.frame(key), frame(key)
        assert np.array_equal(stored.pixels, given_frame.pixels)
        assert stored.row.elapsed_s == given_frame.row.elapsed_s
        assert np.isnan(stored.row.stage_x_um)


def test_writing_a_frame_twice_is_harmless(tmp_path: Path) -> None:
    writer = acquired_run(tmp_path / "run")
    writer.write(frame(FrameKey(t=1)))
    counts = RunReader(tmp_path / "run").counts("cells")
    assert (counts.expected, counts.acquired) == (6, 6)


def test_frames_written_together_come_back_each_at_its_place(tmp_path: Path) -> None:
    create_run(tmp_path / "run", plan())
    keys = [FrameKey(t=2), FrameKey(t=0, p=1), FrameKey(t=1)]
    FrameWriter(tmp_path / "run", plan()).write(*map(frame, keys))
    reader = RunReader(tmp_path / "run")
    assert set(np.flatnonzero(reader.acquired())) == {1, 2, 4}
    for key in keys:
        assert np.array_equal(reader.frame(key).pixels, frame(key).pixels)
        assert reader.frame(key).row.elapsed_s == 3600.0 * key.t


def test_of_frames_written_together_none_is_acquired_if_one_does_not_fit(
    tmp_path: Path,
) -> None:
    create_run(tmp_path / "run", plan())
    misfit = replace(frame(FrameKey(t=1)), pixels=np.zeros((24, 31), np.uint16))
    with pytest.raises(ValueError, match=r"this run holds uint16 of shape \(24, 32\)"):
        FrameWriter(tmp_path / "run", plan()).write(frame(), misfit)
    assert not RunReader(tmp_path / "run").acquired().any()


def test_a_missing_frame_shifts_nothing_and_is_counted(tmp_path: Path) -> None:
    run_plan = plan()
    create_run(tmp_path / "run", run_plan)
    writer = FrameWriter(tmp_path / "run", run_plan)
    for key in run_plan.shape.all_keys():
        if key != FrameKey(t=1, p=0):
            writer.write(frame(key))
    reader = RunReader(tmp_path / "run")
    assert reader.counts("cells").missing == 1
    assert np.array_equal(reader.pixels(FrameKey(t=2)), frame(FrameKey(t=2)).pixels)
    with pytest.raises(ValueError, match="has not been acquired"):
        reader.frame(FrameKey(t=1))


def test_only_the_frames_that_a_ragged_sequence_brings_are_expected(tmp_path: Path) -> None:
    create_run(tmp_path / "run", plan(), expected=[FrameKey(t=0), FrameKey(t=2, p=1)])
    assert RunReader(tmp_path / "run").counts("cells").expected == 2


@pytest.mark.parametrize(
    "pixels", [np.zeros((24, 31), np.uint16), np.zeros((24, 32), np.uint8)]
)
def test_a_frame_of_another_shape_or_type_is_refused(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    from samcell_live.records import Frame

    writer = acquired_run(tmp_path / "run")
    with pytest.raises(ValueError, match=r"this run holds uint16 of shape \(24, 32\)"):
        writer.write(Frame(FrameKey(), pixels, 0.5))


def test_results_come_back_as_they_went_in(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    results = results_of(tmp_path / "run", plan())
    commit_cells(results, FrameKey(t=1, p=1), n_cells=3)
    reader = RunReader(tmp_path / "run")
    assert np.array_equal(reader.labels(FrameKey(t=1, p=1), "cells"), squares(3))
    cells = reader.cells(FrameKey(t=1, p=1), "cells")
    assert list(cells.index) == [1, 2, 3]
    assert (cells["area_px"] == 16).all()
    series = reader.series("cells")
    assert list(series.index) == [3]
    assert series["cell_count"].item() == 3
    assert np.isnan(series["density_per_mm2"].item())
    assert reader.counts("cells") == (6, 6, 0, 1, 0, 5)


def test_results_that_several_threads_bring_each_come_to_their_place(
    tmp_path: Path,
) -> None:
    acquired_run(tmp_path / "run")
    results = results_of(tmp_path / "run", plan())
    keys = list(plan().shape.all_keys())

    def bring(n_cells: int) -> None:
        if n_cells == 4:
            results.fail(keys[n_cells], "RuntimeError: too dark")
        else:
            commit_cells(results, keys[n_cells], n_cells)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(bring, range(6)))
    reader = RunReader(tmp_path / "run")
    counts = reader.series("cells")["cell_count"]
    assert counts.drop(4).tolist() == [0, 1, 2, 3, 5]
    assert np.isnan(counts[4])
    assert reader.committed("cells").tolist() == [1, 1, 1, 1, 2, 1]
    for n_cells in (0, 1, 2, 3, 5):
        assert np.array_equal(reader.labels(keys[n_cells], "cells"), squares(n_cells))
        assert len(reader.cells(keys[n_cells], "cells")) == n_cells


def test_a_failure_keeps_its_reason_and_never_looks_like_an_empty_dish(
    tmp_path: Path,
) -> None:
    acquired_run(tmp_path / "run")
    results_of(tmp_path / "run", plan()).fail(
        FrameKey(), "RuntimeError: CUDA, " + "ä" * 300
    )
    reader = RunReader(tmp_path / "run")
    assert reader.failure(0, "cells").startswith("RuntimeError: CUDA, ääää")
    row = reader.series("cells").iloc[0]
    assert row["status"] == "failed"
    assert np.isnan(row["cell_count"])
    assert reader.counts("cells").failed == 1


def test_labels_that_disagree_with_the_table_are_refused(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    results = results_of(tmp_path / "run", plan())
    with pytest.raises(ValueError, match="labels up to 2 and 0 measured cells"):
        results.commit(
            FrameKey(), SeriesRow(), labels=squares(2), cells=np.zeros((0, 17), np.float32)
        )
    assert not results.committed().any()


def test_an_analysis_goes_on_only_with_the_settings_it_was_begun_with(
    tmp_path: Path,
) -> None:
    acquired_run(tmp_path / "run")
    commit_cells(results_of(tmp_path / "run", plan()), FrameKey(), 1)
    assert results_of(tmp_path / "run", plan()).committed()[0] == 1
    other = replace(MAKING, weights_sha256="def456")
    with pytest.raises(ValueError, match="begun with weights_sha256 = 'abc123'"):
        open_analysis(tmp_path / "run", plan(), "cells", other)
    open_analysis(tmp_path / "run", plan(), "again", other)
    assert RunReader(tmp_path / "run").analyses() == ["again", "cells"]


def test_a_setting_of_a_later_version_was_off_before(tmp_path: Path) -> None:
    create_run(tmp_path / "run", plan())
    results_of(tmp_path / "run", plan())
    off = replace(MAKING, settings={**MAKING.settings, "later": 0})
    on = replace(MAKING, settings={**MAKING.settings, "later": 0.2})

    open_analysis(tmp_path / "run", plan(), "cells", off)
    with pytest.raises(ValueError, match="begun with settings"):
        open_analysis(tmp_path / "run", plan(), "cells", on)


def test_a_run_never_overwrites_another(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    with pytest.raises(FileExistsError, match="exists already, and a run never overwrites"):
        create_run(tmp_path / "run", plan())


def test_a_run_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lies outside this run"):
        create_run(tmp_path / "run", plan(), expected=[FrameKey(t=99)])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a run store of samcell_live"):
        RunReader(tmp_path)


def test_a_channel_that_does_not_exist_cannot_be_segmented() -> None:
    with pytest.raises(ValueError, match="Channel 2, plane 0, camera 0 is to be"):
        plan(segment_c=2)
