"""What must stay quick: run once as tests.

Four functions are timed with --benchmark-enable. Scripts that compare a run with the same
without us are run on small frames, to see that they still do what they say.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from builders import (
    FIRST,
    acquired_run,
    commit_cells,
    frame,
    plan,
    results_of,
    when_waited_for,
)
from pytest_benchmark.fixture import BenchmarkFixture
from samcell_dashboard.figures import growth_figure

from samcell_live.records import Frame
from samcell_live.segmentation.segmenter import load_segmenter
from samcell_live.settings import SegmentationSettings
from samcell_live.store.reader import RunReader
from samcell_live.store.spool import Spool

UNLIMITED = 2**40


@pytest.fixture
def spool() -> Iterator[Spool]:
    """Spool before a disk that takes no time."""

    def forget(*some: Frame) -> None:
        pass

    spool = Spool(when_waited_for(forget), UNLIMITED)
    yield spool
    spool.close()


def test_offer_a_frame(benchmark: BenchmarkFixture, spool: Spool) -> None:
    benchmark(spool.offer, frame())
    assert spool.health.offered > 0


def test_segment_a_frame(benchmark: BenchmarkFixture) -> None:
    segmenter = load_segmenter(SegmentationSettings(), device="cpu")
    noise = np.random.default_rng(1).integers(0, 4096, (256, 256), dtype=np.uint16)
    assert benchmark(segmenter, noise).labels.shape == noise.shape


def test_store_a_result(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    results = results_of(tmp_path / "run", plan())
    benchmark(commit_cells, results, FIRST, 3)
    assert RunReader(tmp_path / "run").counts("cells").analysed == 1


def test_draw_a_figure(benchmark: BenchmarkFixture) -> None:
    assert benchmark(growth_figure, "confluence", "linear", "hours", "light").data


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "arguments", "said"),
    [
        ("tap.py", ["--frames", "30", "--repeats", "1"], "ratio of the medians"),
        ("raw_writer.py", ["--frames", "12", "--repeats", "1"], "disk's own rate, raw"),
        ("latency.py", ["--frames", "2", "--pause-s", "0"], "row, less inference"),
        ("worker_idle.py", ["--frames", "4", "--device-ms", "20"], "device idle"),
    ],
)
def test_measure_a_run(script: str, arguments: list[str], said: str) -> None:
    path = Path(__file__).parents[1] / "benchmarks" / script
    command = [sys.executable, str(path), "--side-px", "128", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
