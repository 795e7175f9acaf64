from __future__ import annotations

import logging
import math
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from samcell_live.recordings import Recording, open_recording
from samcell_live.recordings.recording import Unreadable
from samcell_live.records import Frame, FrameKey


def save(path: Path, value: int = 0, shape: tuple[int, int] = (6, 8)) -> None:
    """Write a grey image that is the same everywhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full(shape, value, dtype=np.uint8)
    if path.suffix == ".tif":
        tifffile.imwrite(path, pixels.astype(np.uint16))
    else:
        Image.fromarray(pixels).save(path)


def frames_of(recording: Recording) -> list[Frame]:
    """Read all frames, each of which can be read."""
    frames = [frame for frame in recording.frames() if isinstance(frame, Frame)]
    assert len(frames) == len(recording.keys)
    return frames


def save_calibrated(path: Path, *, pixels_per_cm: int) -> None:
    tifffile.imwrite(
        path,
        np.zeros((4, 4), dtype=np.uint16),
        resolution=(pixels_per_cm, pixels_per_cm),
        resolutionunit="CENTIMETER",
    )


def test_images_are_timepoints_in_natural_order(tmp_path: Path) -> None:
    for t in (10, 9, 100, 1):
        save(tmp_path / f"frame{t}.png", t)
    recording = open_recording(tmp_path)
    plan = recording.plan
    assert (plan.shape.t, plan.shape.n_slots) == (4, 4)
    assert (plan.height_px, plan.width_px, plan.dtype, plan.bits) == (6, 8, "uint8", 8)
    assert (plan.source, plan.name, plan.views[0].name) == ("replay", *[tmp_path.name] * 2)
    frames = frames_of(recording)
    assert [int(frame.pixels[0, 0]) for frame in frames] == [1, 9, 10, 100]
    assert [frame.key for frame in frames] == list(recording.keys)
    assert [frame.key.t for frame in frames] == [0, 1, 2, 3]


def test_subfolders_are_positions_and_may_differ_in_length(tmp_path: Path) -> None:
    for name, n_images in (("well2", 3), ("well10", 2), ("notes", 0)):
        (tmp_path / name).mkdir()
        for t in range(n_images):
            save(tmp_path / name / f"{t}.tif", t)
    recording = open_recording(tmp_path)
    assert [view.name for view in recording.plan.views] == ["well2", "well10"]
    assert (recording.plan.shape.t, recording.plan.shape.p) == (3, 2)
    assert [(key.t, key.p) for key in recording.keys] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (2, 0),
    ]
    assert FrameKey(t=2, p=1) not in recording.keys


def test_masks_and_other_files_are_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(tmp_path / "01.png")
    save(tmp_path / "01_mask.png", shape=(3, 3))
    save(tmp_path / ".hidden.png", shape=(3, 3))
    (tmp_path / "notes.txt").write_text("medium changed")
    with caplog.at_level(logging.INFO, logger="samcell_live.recordings"):
        assert len(open_recording(tmp_path).keys) == 1
    for name in ("01_mask.png", ".hidden.png", "notes.txt"):
        assert name in caplog.text


def test_what_the_caller_knows_goes_before_what_the_files_tell(tmp_path: Path) -> None:
    for t in range(3):
        save_calibrated(tmp_path / f"{t}.tif", pixels_per_cm=20_000)
    assert open_recording(tmp_path).plan.pixel_size_um == pytest.approx(0.5)

    told = open_recording(tmp_path, pixel_size_um=0.7, interval_s=600)
    assert (told.plan.interval_s, told.plan.duration_s) == (600, 1200)
    assert [frame.row.elapsed_s for frame in frames_of(told)] == [0, 600, 1200]
    assert {frame.pixel_size_um for frame in frames_of(told)} == {0.7}


def test_without_calibration_and_interval_both_are_unknown(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg")
    recording = open_recording(tmp_path)
    assert recording.plan.pixel_size_um is None
    (frame,) = frames_of(recording)
    assert math.isnan(frame.pixel_size_um)
    assert math.isnan(frame.row.elapsed_s)


def test_pixel_sizes_that_differ_are_not_trusted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for per_cm in (20_000, 10_000):
        save_calibrated(tmp_path / f"{per_cm}.tif", pixels_per_cm=per_cm)
    assert open_recording(tmp_path).plan.pixel_size_um is None
    assert "different pixel sizes" in caplog.text


def test_images_are_read_one_at_a_time(tmp_path: Path) -> None:
    for t in range(3):
        save(tmp_path / f"{t}.png", t)
    frames = open_recording(tmp_path).frames()
    next(frames)
    save(tmp_path / "1.png", 99)
    second = next(frames)
    assert isinstance(second, Frame)
    assert second.pixels[0, 0] == 99


def test_an_image_that_cannot_be_decoded_stops_no_other(tmp_path: Path) -> None:
    for t in range(3):
        save(tmp_path / f"{t}.png", t, shape=(60, 80))
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(whole[:-40])
    first, second, third = open_recording(tmp_path).frames()
    assert isinstance(first, Frame)
    assert isinstance(third, Frame)
    assert isinstance(second, Unreadable)
    assert second.key == FrameKey(t=1)
    assert "1.png cannot be read as an image" in second.reason


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(ValueError, match=r"has no images, .*\.jpeg, \.jpg, \.png"):
        open_recording(tmp_path)


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png is not a folder\. Give"):
        open_recording(tmp_path / "a.png")


def test_images_of_mixed_size_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    save(tmp_path / "b.png", shape=(6, 9))
    with pytest.raises(ValueError, match=r"b\.png is 6 x 9 .* but .*a\.png is 6 x 8"):
        open_recording(tmp_path)


def test_images_of_mixed_depth_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "one" / "a.png")
    save(tmp_path / "two" / "a.tif")
    with pytest.raises(ValueError, match=r"uint16, but .* uint8\. All images"):
        open_recording(tmp_path)


def test_a_broken_image_is_found_before_anything_is_read(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"GIF89a?")
    with pytest.raises(ValueError, match=r"b\.png cannot be read as an image"):
        open_recording(tmp_path)


@pytest.mark.parametrize("known", [{"pixel_size_um": -0.5}, {"interval_s": 0.0}])
def test_impossible_units_are_refused(tmp_path: Path, known: dict[str, float]) -> None:
    save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"must be above 0"):
        open_recording(tmp_path, **known)


@pytest.mark.parametrize(
    ("folder", "shape", "dtype"),
    [
        ("usiigaci/movie", (13, 1022, 1024), "uint16"),
        ("usiigaci/val", (5, 1022, 1024), "uint16"),
        ("gap_closing", (50, 520, 696), "uint8"),
    ],
)
def test_real_recordings_open(
    shared_data: Path, folder: str, shape: tuple[int, int, int], dtype: str
) -> None:
    recording = open_recording(shared_data / folder)
    plan = recording.plan
    assert (plan.shape.t, plan.height_px, plan.width_px) == shape
    first = next(recording.frames())
    assert isinstance(first, Frame)
    assert first.pixels.shape == shape[1:]
    assert first.pixels.dtype == plan.dtype == dtype
