"""Frames of our own runs are training data where somebody corrected their labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import (
    acquired_run,
    commit_cells,
    frame,
    plan,
    results_of,
    squares,
)

from samcell_live.records import FrameKey
from samcell_live.training.data.formats import open_data
from samcell_live.training.data.labelled import read_pair
from samcell_live.training.data.prepared import Preparation
from samcell_live.training.data.preparing import fingerprint

CORRECTED_FRAME = FrameKey(t=1, p=1)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with an analysis of two frames, and one frame corrected."""
    path = tmp_path / "run.ome.zarr"
    acquired_run(path)
    automatic, corrected = (results_of(path, plan(), n) for n in ("cells", "corrected"))
    commit_cells(automatic, FrameKey(), 2)
    commit_cells(automatic, CORRECTED_FRAME, 2)
    commit_cells(corrected, CORRECTED_FRAME, 3)
    return path


def test_only_corrected_frames_are_read(run: Path) -> None:
    (image,) = open_data(run).images

    pixels, truth = read_pair(image)

    np.testing.assert_array_equal(pixels, frame(CORRECTED_FRAME).pixels)
    np.testing.assert_array_equal(truth.labels, squares(3))
    assert image.name == "view 1, t 1"


def test_other_labels_can_be_named(run: Path) -> None:
    images = open_data(run, labels="cells").images

    assert [image.name for image in images] == ["view 0, t 0", "view 1, t 1"]


def test_labels_that_another_program_wrote_are_read_where_there_are_cells(
    run: Path,
) -> None:
    (run / "samcell" / "analyses" / "corrected" / "zarr.json").unlink()

    (image,) = open_data(run).images

    np.testing.assert_array_equal(image.read_truth().labels, squares(3))


def test_labels_corrected_anew_are_another_version(run: Path) -> None:
    before = fingerprint(open_data(run), Preparation())

    commit_cells(results_of(run, plan(), "corrected"), CORRECTED_FRAME, 4)

    assert fingerprint(open_data(run), Preparation()) != before


def test_a_run_that_nobody_corrected_is_refused(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    commit_cells(results_of(tmp_path / "run", plan()), FrameKey(), 2)

    with pytest.raises(ValueError, match=r"no labels 'corrected', but cells"):
        open_data(tmp_path / "run")


def test_corrections_that_hold_no_frame_yet_are_refused(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    results_of(tmp_path / "run", plan(), "corrected")

    with pytest.raises(ValueError, match=r"labels 'corrected', but no frame with any"):
        open_data(tmp_path / "run")
