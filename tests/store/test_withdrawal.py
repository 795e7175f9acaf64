"""What is not to come any more is not missing."""

from pathlib import Path

from builders import frame, plan

from samcell_live.records import FrameKey, RunShape
from samcell_live.store.create import create_run
from samcell_live.store.firings import Firing, read_firings, write_firings
from samcell_live.store.frames import FrameWriter
from samcell_live.store.reader import RunReader
from samcell_live.store.withdrawal import withdraw


def run(path: Path) -> RunReader:
    """Five timepoints at two positions, of which two were acquired."""
    run_plan = plan(RunShape(t=5, p=2))
    create_run(path, run_plan)
    writer = FrameWriter(path, run_plan)
    for t in range(2):
        for p in range(2):
            writer.write(frame(FrameKey(t=t, p=p)))
    return RunReader(path)


def test_frames_of_a_position_are_not_expected_after_a_timepoint(tmp_path: Path) -> None:
    reader = run(tmp_path / "run")
    assert withdraw(reader.path, after_t=2, positions=[1]) == 2
    assert reader.counts("cells")[:3] == (8, 4, 4)
    expected = reader.frames().query("expected")
    assert expected[expected["p"] == 1]["t"].tolist() == [0, 1, 2]


def test_a_run_that_ends_here_misses_nothing(tmp_path: Path) -> None:
    reader = run(tmp_path / "run")
    assert withdraw(reader.path, after_t=1) == 6
    assert reader.counts("cells")[:3] == (4, 4, 0)


def test_what_is_there_stays_expected(tmp_path: Path) -> None:
    reader = run(tmp_path / "run")
    withdraw(reader.path, after_t=-1)
    assert reader.counts("cells")[:3] == (4, 4, 0)
    assert reader.frames()["expected"].sum() == 4


def test_what_rules_did_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    reader = run(tmp_path / "run")
    assert read_firings(reader.path) == []
    fired = [
        Firing(1.5, "full", "stop", "all", 3, (0.79, 0.82)),
        Firing(2.5, "lamp", "preset Lamp: on", "all", 3, (0.8,), "RuntimeError: no lamp"),
    ]
    write_firings(reader.path, fired)
    assert read_firings(reader.path) == fired
