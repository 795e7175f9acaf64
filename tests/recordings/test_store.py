from __future__ import annotations

from pathlib import Path

import builders
import numpy as np
import pytest

from samcell_live.recordings import Recording, open_recording
from samcell_live.recordings.recording import Unreadable
from samcell_live.records import Frame, FrameKey
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter

RECORDED = [FrameKey(), FrameKey(p=1), FrameKey(t=2)]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that broke off: three frames of six."""
    path = tmp_path / "run.ome.zarr"
    plan = builders.plan()
    create_run(path, plan)
    writer = FrameWriter(path, plan)
    for key in RECORDED:
        writer.write(builders.frame(key, stage_x_um=100.0 * key.p))
    return path


def frames_of(recording: Recording) -> list[Frame]:
    """Read all frames, each of which can be read."""
    frames = [frame for frame in recording.frames() if isinstance(frame, Frame)]
    assert len(frames) == len(recording.keys)
    return frames


def test_a_run_is_replayed_with_its_times_places_and_pixels(run: Path) -> None:
    recording = open_recording(run)
    assert list(recording.keys) == RECORDED
    for frame in frames_of(recording):
        expected = builders.frame(frame.key, stage_x_um=100.0 * frame.key.p)
        np.testing.assert_array_equal(frame.pixels, expected.pixels)
        np.testing.assert_equal(frame.row, expected.row)


def test_the_replay_is_a_run_of_its_own(run: Path) -> None:
    recorded, again = builders.plan(), open_recording(run).plan
    assert again.source == "replay"
    assert again.uid != recorded.uid
    assert (again.shape, again.pixel_size_um) == (recorded.shape, recorded.pixel_size_um)


def test_a_run_can_be_calibrated_afterwards(run: Path) -> None:
    recording = open_recording(run, pixel_size_um=0.7)
    assert recording.plan.pixel_size_um == 0.7
    assert {frame.pixel_size_um for frame in frames_of(recording)} == {0.7}


@pytest.mark.parametrize("pixel_size_um", [0, -1, float("nan"), float("inf")])
def test_a_run_is_not_calibrated_with_what_is_no_size(
    run: Path, pixel_size_um: float
) -> None:
    with pytest.raises(ValueError, match=r"pixel size in um is .*must be above 0"):
        open_recording(run, pixel_size_um=pixel_size_um)


def test_a_frame_that_is_damaged_on_disk_stops_no_other(run: Path) -> None:
    recording = open_recording(run)
    (run / "1" / "0" / "c" / "0" / "0" / "0" / "0").write_bytes(b"no")
    first, second, third = recording.frames()
    assert isinstance(first, Frame)
    assert isinstance(third, Frame)
    assert isinstance(second, Unreadable)
    assert second.key == FrameKey(p=1)
    assert str(run) in second.reason


def test_a_run_without_frames_is_refused(tmp_path: Path) -> None:
    create_run(tmp_path / "empty.ome.zarr", builders.plan())
    with pytest.raises(ValueError, match=r"empty\.ome\.zarr has no frame yet"):
        open_recording(tmp_path / "empty.ome.zarr")
