"""A replay loses no more of a recording than what cannot be read, and says what that is."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samcell_live.recordings import open_recording
from samcell_live.recordings.replay import replay_recording
from samcell_live.records import FrameKey
from samcell_live.settings import AnalysisSettings, SegmentationSettings
from samcell_live.store.reader import RunReader


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Folder of six images of noise."""
    folder = tmp_path / "images"
    folder.mkdir()
    random = np.random.default_rng(1)
    for t in range(6):
        noise = random.integers(0, 256, (40, 50), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{t}.png")
    return folder


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def test_images_that_cannot_be_decoded_are_missing_and_the_rest_is_analysed(
    images: Path, tmp_path: Path
) -> None:
    for t in (1, 2, 4, 5):
        cut_short(images / f"{t}.png")
    store = tmp_path / "run"
    for _ in replay_recording(
        open_recording(images), store, AnalysisSettings(), threading.Event()
    ):
        pass

    run = RunReader(store)
    assert run.counts("cells")._asdict() == {
        "expected": 6, "acquired": 2, "missing": 4, "analysed": 2, "failed": 0, "waiting": 0
    }  # fmt: skip
    assert run.acquired()[run.plan.shape.slot(FrameKey(t=3))]
    acquisition = run.process("acquisition")
    assert acquisition is not None
    assert acquisition.state == "finished"
    assert acquisition.message.startswith("4 unreadable frames are missing: ")
    assert "1.png cannot be read as an image" in acquisition.message
    assert acquisition.message.endswith("; and 1 more")


def test_a_model_that_is_not_there_is_refused_before_the_store_is_made(
    images: Path, tmp_path: Path
) -> None:
    analysis = AnalysisSettings(segmentation=SegmentationSettings(model="startr"))
    replay = replay_recording(
        open_recording(images), tmp_path / "runs" / "run", analysis, threading.Event()
    )
    with pytest.raises(ValueError, match="'startr' is neither a model nor a file"):
        next(replay)
    assert not (tmp_path / "runs").exists()
