"""A disk that is full, away, read-only or without power costs no frame that was safe."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from builders import acquired_run, cell_rows, frame, results_of, squares
from command_line import command, config
from no_worker import analyse_nothing
from reliable_run import ANALYSIS, begin, n_cells, plan_of
from small_disk import ballast, cut_the_power, small_disk
from useq import MDASequence

import samcell_live
from samcell_live.analysis.examination import Result
from samcell_live.analysis.worker import analyse
from samcell_live.microscope import watch as watch_module
from samcell_live.microscope.beginning import Experiment
from samcell_live.microscope.simulated import simulated_core
from samcell_live.records import Frame, FrameKey, SeriesRow
from samcell_live.settings import SimulatedMicroscope
from samcell_live.store import spool as spool_module
from samcell_live.store.alerts import alerts
from samcell_live.store.check import check_store
from samcell_live.store.frames import FrameWriter
from samcell_live.store.reader import RunReader
from samcell_live.store.spool import Spool

MICROSCOPE = SimulatedMicroscope(image_height_px=96, image_width_px=128, speed=36000.0)


def wait_for(condition: Callable[[], object], timeout_s: float = 180) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "this never came true"
        time.sleep(0.02)


def known_result(one: Frame) -> Result:
    n = n_cells(one.key)
    row = SeriesRow(confluence=0.1, cell_count=n)
    return Result(row, squares(n), cell_rows(n))


def test_every_frame_that_was_safe_is_there_after_a_power_cut(tmp_path: Path) -> None:
    with small_disk(tmp_path, 64) as disk:
        run_plan = begin(disk / "run", 12)
        writer = FrameWriter(disk / "run", run_plan)
        keys = list(run_plan.shape.all_keys())
        results = results_of(disk / "run", run_plan, ANALYSIS)
        for key in keys[:8]:
            writer.write(frame(key))
        analyse(keys[:5], RunReader(disk / "run").frame, known_result, results)
        (disk / "not synced").write_bytes(bytes(2**16))
        cut_the_power(disk)
    with small_disk(tmp_path, 64) as disk:
        unsynced = disk / "not synced"
        assert not unsynced.exists() or unsynced.stat().st_size == 0, "no power was cut"
        reader = RunReader(disk / "run")
        assert reader.counts(ANALYSIS) == (12, 8, 4, 5, 0, 3)
        for key in keys[:8]:
            assert np.array_equal(reader.frame(key).pixels, frame(key).pixels)
        for key in keys[:5]:
            assert np.array_equal(reader.labels(key, ANALYSIS), squares(n_cells(key)))
        assert check_store(disk / "run") == []


def test_raw_frames_wait_while_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "RETRY_S", 0.05)
    with small_disk(tmp_path, 16) as disk:
        run_plan = begin(disk / "run", 20)
        spool = Spool(FrameWriter(disk / "run", run_plan).begin, budget_bytes=2**30)
        with ballast(disk, leaving_bytes=0):
            for key in run_plan.shape.all_keys():
                spool.offer(frame(key, time_s=1.0))
            wait_for(lambda: spool.health.last_error)
            assert spool.health.lost == 0
        spool.close()
        assert (spool.health.written, spool.health.lost) == (20, 0)
        assert RunReader(disk / "run").acquired().all()
        assert check_store(disk / "run") == []


@pytest.mark.parametrize("leaving_bytes", [0, 8192], ids=["masks", "series"])
def test_results_that_find_no_room_are_made_again(
    tmp_path: Path, leaving_bytes: int
) -> None:
    with small_disk(tmp_path, 16) as disk:
        acquired_run(disk / "run", plan_of(40))
        keys = list(plan_of(40).shape.all_keys())
        results = results_of(disk / "run", plan_of(40), ANALYSIS)
        reader = RunReader(disk / "run")
        with (
            ballast(disk, leaving_bytes=leaving_bytes),
            pytest.raises(OSError, match="space"),
        ):
            analyse(keys, reader.frame, known_result, results)
        counts = reader.counts(ANALYSIS)
        assert counts.failed == 0
        assert counts.waiting == 40 - counts.analysed > 0
        waiting = [keys[slot] for slot in reader.waiting(ANALYSIS)]
        analyse(waiting, reader.frame, known_result, results)
        assert reader.counts(ANALYSIS) == (40, 40, 0, 40, 0, 0)
        assert check_store(disk / "run") == []


def test_an_acquisition_pauses_before_the_disk_is_full_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse_nothing(monkeypatch)
    monkeypatch.setattr(watch_module, "LOOK_S", 0.1)
    sequence = MDASequence(channels=["phase"], time_plan={"interval": 0.1, "loops": 40})
    core = simulated_core(MICROSCOPE)
    keep_free = 4 * 2**20
    with small_disk(tmp_path, 24) as disk:
        path = disk / "run.ome.zarr"
        experiment = Experiment(keep_free_bytes=keep_free)
        with samcell_live.monitor(core, path, experiment=experiment) as monitor:
            thread = core.run_mda(sequence)
            wait_for(lambda: path.exists() and RunReader(path).acquired().any())
            with ballast(disk, leaving_bytes=keep_free // 2):
                wait_for(lambda: core.mda.is_paused())
                wait_for(lambda: told(path) == ["paused"])
                assert not RunReader(path).acquired().all()
            thread.join()
        assert monitor.errors == []
        assert RunReader(path).acquired().all()
        process = RunReader(path).process("acquisition")
        assert process is not None
        assert process.health["lost"] == 0
    core.unloadAllDevices()


def told(path: Path) -> list[str]:
    return [alert.kind for alert in alerts(RunReader(path), time.time())]


def test_a_store_that_vanishes_is_not_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "RETRY_S", 0.01)
    path = tmp_path / "run"
    run_plan = begin(path, 3)
    spool = Spool(FrameWriter(path, run_plan).begin, budget_bytes=2**30)
    shutil.rmtree(path)
    spool.offer(frame(FrameKey()))
    wait_for(lambda: spool.health.last_error)
    assert "is there no more" in spool.health.last_error
    spool.give_up_after(0)
    spool.close()
    assert spool.health.lost == 1
    assert not path.exists()


def test_a_share_that_comes_back_gets_every_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "RETRY_S", 0.01)
    path, away = tmp_path / "run", tmp_path / "away"
    run_plan = begin(path, 3)
    spool = Spool(FrameWriter(path, run_plan).begin, budget_bytes=2**30)
    path.rename(away)
    for key in run_plan.shape.all_keys():
        spool.offer(frame(key, time_s=1.0))
    wait_for(lambda: spool.health.last_error)
    away.rename(path)
    spool.close()
    assert (spool.health.written, spool.health.lost) == (3, 0)
    assert check_store(path) == []


def test_a_read_only_disk_is_refused_before_the_first_frame(tmp_path: Path) -> None:
    with small_disk(tmp_path, 16) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        refused = command("run", config(tmp_path), "--store", disk / "run")
        assert refused.exit_code == 2
        assert "Error" in refused.output
        assert not (disk / "run").exists()
