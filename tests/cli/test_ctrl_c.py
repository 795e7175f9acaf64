"""Ctrl-C once ends cleanly, twice at once; whatever was done is kept."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import yaml
from command_line import config

from samcell_live.store.processes import ProcessState
from samcell_live.store.reader import RunReader

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals"),
]

LONG = {"channels": ["phase"], "time_plan": {"interval": 0.2, "loops": 1000}}
LARGE = {"kind": "simulated", "image_height_px": 768, "image_width_px": 768}
"""Images that are acquired faster than they are analysed."""


def started(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "samcell_live", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], object], timeout_s: float = 180) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "this never came true"
        time.sleep(0.02)


def test_a_run_is_cancelled_and_what_was_acquired_is_analysed(tmp_path: Path) -> None:
    store = tmp_path / "run"
    run = started("run", config(tmp_path, sequence=LONG), "--store", store, "--json")
    wait_for(lambda: store.exists() and RunReader(store).acquired().sum() > 2)
    run.send_signal(signal.SIGINT)
    output, errors = run.communicate(timeout=120)
    assert run.returncode == 0, output + errors
    frames = json.loads(output.splitlines()[-1])["frames"]
    assert 0 < frames["acquired"] < 1000
    assert frames["analysed"] == frames["acquired"]


def test_the_second_time_a_run_ends_at_once_and_leaves_no_worker(tmp_path: Path) -> None:
    store = tmp_path / "run"
    path = config(tmp_path, sequence=LONG, microscope=LARGE)
    run = started("run", path, "--store", store)

    def record(role: str) -> ProcessState:
        wait_for(lambda: store.exists() and RunReader(store).process(role) is not None)
        found = RunReader(store).process(role)
        assert found is not None
        return found

    worker_pid = record("analysis-cells").pid
    (worker,) = [
        child for child in psutil.Process(run.pid).children() if child.pid == worker_pid
    ]
    run.send_signal(signal.SIGINT)
    wait_for(lambda: record("acquisition").state == "cancelled")
    assert worker.is_running()
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "Stopped at once" in errors
    assert not worker.is_running()
    counts = RunReader(store).counts("cells")
    assert counts.acquired > counts.analysed


def test_a_training_run_leaves_a_checkpoint_of_its_last_step(tmp_path: Path) -> None:
    settings = {
        "simulated": {"count": 1, "side_px": 96},
        "channels": [4, 6],
        "crop_px": 32,
        "batch": 1,
        "steps": 1_000_000,
        "checkpoint_every": 5,
    }
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(settings))
    folder = tmp_path / "out"
    train = started("train", tmp_path / "train.yaml", "--out", folder, "--json")
    wait_for((folder / "checkpoint.pt").exists)
    train.send_signal(signal.SIGINT)
    output, errors = train.communicate(timeout=60)
    assert train.returncode == 0, output + errors
    with (folder / "log.csv").open() as file:
        last = list(csv.DictReader(file))[-1]
    assert f"Stopped after step {last['step']} of 1000000" in output
    assert "The same command goes on from there" in output
    assert json.loads(output.splitlines()[-1]) == {"weights": None, "op_csb": None}
