"""Four things that must stay quick: run once as tests, timed with --benchmark-enable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from builders import FIRST, acquired_run, commit_cells, frame, plan, results_of
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

    def forget(one: Frame) -> None:
        pass

    spool = Spool(forget, UNLIMITED)
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
