"""``run --resume`` goes on with a run that broke off, in the same store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders import acquired_run, commit_cells, plan, results_of
from command_line import command, config

from samcell_live.store.check import check_store
from samcell_live.store.processes import ACQUISITION, ProcessRecord
from samcell_live.store.reader import RunReader

THREE_TIMES = {"interval": 1, "loops": 3}


def words(output: str) -> str:
    return " ".join(output.split())


def test_a_run_that_lacks_nothing_says_so(tmp_path: Path) -> None:
    path = tmp_path / "run"
    positions = {
        "stage_positions": [{"x": 0, "y": 0}, {"x": 1, "y": 1}],
        "time_plan": THREE_TIMES,
    }
    run_plan = plan(sequence=positions)
    acquired_run(path, run_plan)
    results = results_of(path, run_plan)
    for key in run_plan.shape.all_keys():
        commit_cells(results, key, 1)
    done = command("run", "--resume", path)
    assert done.exit_code == 0, done.output
    assert "All 6 frames" in words(done.output)
    assert "nothing is left." in words(done.output)


def test_a_configuration_beside_resume_is_refused(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    refused = command("run", config(tmp_path), "--resume", tmp_path / "run")
    assert refused.exit_code == 2
    assert "leave CONFIG and --store out" in words(refused.output)


def test_neither_configuration_nor_run_is_refused() -> None:
    refused = command("run")
    assert refused.exit_code == 2
    assert "--resume STORE" in words(refused.output)


def test_a_run_at_work_is_refused(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run", plan(sequence={"channels": ["phase"]}))
    with ProcessRecord(tmp_path / "run", ACQUISITION):
        refused = command("run", "--resume", tmp_path / "run")
    assert refused.exit_code == 2
    assert "is in the hands of process" in words(refused.output)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_run_that_was_killed_is_completed_in_the_same_store(tmp_path: Path) -> None:
    store = tmp_path / "run"
    sequence = {"channels": ["phase"], "time_plan": {"interval": 0.5, "loops": 20}}
    path = config(tmp_path, sequence=sequence)
    program = [sys.executable, "-m", "samcell_live", "run"]
    first = subprocess.Popen([*program, str(path), "--store", str(store)])
    deadline_s = time.monotonic() + 120
    while not (store.exists() and RunReader(store).acquired().sum() > 2):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    n_before = int(RunReader(store).acquired().sum())
    assert n_before < 20
    rest = [*program, "--resume", str(store), "--json"]
    ended = subprocess.run(rest, capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    frames = json.loads(ended.stdout.splitlines()[-1])["frames"]
    assert (frames["acquired"], frames["missing"], frames["analysed"]) == (20, 0, 20)
    assert check_store(store) == []
