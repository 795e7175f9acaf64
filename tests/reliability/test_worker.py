"""Whatever the network or the GPU does, each frame gets one result or one reason."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from builders import acquired_run, plan

from samcell_live.records import RunShape
from samcell_live.store.check import check_store
from samcell_live.store.reader import RunReader

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

N_FRAMES = 3
CULPRIT = 1


def run_worker(path: Path, fault: str) -> int:
    """Work a run off with a network that has this fault on one frame; its exit code."""
    code = textwrap.dedent(
        f"""
        import os, signal, sys
        from pathlib import Path
        import torch
        from samcell_live.analysis import worker
        from samcell_live.settings import AnalysisSettings

        examine = worker.Examination.__call__

        def failing(examination, frame):
            if frame.key.t == {CULPRIT}:
                {fault}
            return examine(examination, frame)

        worker.Examination.__call__ = failing
        worker.analyse_run(Path(sys.argv[1]), AnalysisSettings())
        """
    )
    return subprocess.run([sys.executable, "-c", code, str(path)]).returncode


def worked_off(path: Path, fault: str, most: int = 5) -> int:
    """Start workers, as the supervisor does, until one ends well; how many it took."""
    acquired_run(path, plan(RunShape(t=N_FRAMES)))
    for n_workers in range(1, most + 1):
        if run_worker(path, fault) == 0:
            return n_workers
    raise AssertionError(f"none of {most} workers ended well")


def test_a_frame_that_is_too_large_for_the_gpu_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "run"
    assert worked_off(path, "raise torch.OutOfMemoryError('CUDA out of memory.')") == 1
    reader = RunReader(path)
    assert reader.counts("cells") == (N_FRAMES, N_FRAMES, 0, N_FRAMES - 1, 1, 0)
    assert reader.failure(CULPRIT, "cells") == "OutOfMemoryError: CUDA out of memory."


@pytest.mark.parametrize(
    "fault",
    [
        "raise RuntimeError('CUDA error: an illegal memory access was encountered')",
        "os.kill(os.getpid(), signal.SIGKILL)",
    ],
    ids=["a GPU that is lost", "a crash"],
)
def test_a_frame_that_ends_the_worker_twice_is_failed_and_the_others_are_analysed(
    tmp_path: Path, fault: str
) -> None:
    path = tmp_path / "run"
    n_workers = worked_off(path, fault)
    reader = RunReader(path)
    assert reader.counts("cells") == (N_FRAMES, N_FRAMES, 0, N_FRAMES - 1, 1, 0)
    assert "died 2 times on it" in reader.failure(CULPRIT, "cells")
    assert 3 <= n_workers <= 4
    assert check_store(path) == []
