"""Images become files; what befalls one of them leaves the others alone."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import tifffile
from builders import HEIGHT_PX, MAKING, WIDTH_PX, segmentation, squares
from PIL import Image

from samcell_live.recordings.background import in_background
from samcell_live.recordings.image_results import FailedImage, Outputs, SegmentedImage
from samcell_live.recordings.segment_images import segment_images, with_results
from samcell_live.records import Frame, Labels, Segmentation
from samcell_live.segmentation.stream import Outcome, Source

NOISE = np.random.default_rng(0).integers(90, 4000, (HEIGHT_PX, WIDTH_PX), dtype=np.uint16)
DARK = NOISE // 100


def three_cells(sources: Iterable[Source]) -> Iterator[Outcome]:
    """Stand-in for a segmenter: three squares in every image, none in a dark one."""
    for source in sources:
        assert isinstance(source, Frame)
        if source.pixels.max() < 90:
            yield source, ValueError("it is dark in here")
        else:
            yield source, segmentation(3)


def images(folder: Path, *arrays: npt.NDArray[Any] | bytes) -> list[Path]:
    """TIFF files ``0.tif`` and so on."""
    paths = [folder / f"{number}.tif" for number in range(len(arrays))]
    for path, array in zip(paths, arrays, strict=True):
        if isinstance(array, bytes):
            path.write_bytes(array)
        else:
            tifffile.imwrite(
                path,
                array,
                photometric="minisblack",
                resolution=(2e4, 2e4),
                resolutionunit="CENTIMETER",
            )
    return paths


def segmented(
    paths: Sequence[Path], folder: Path, **options: Any
) -> list[SegmentedImage | FailedImage]:
    return list(segment_images(paths, three_cells, Outputs(folder, **options)))


def test_every_image_gets_labels_a_table_and_an_overlay(tmp_path: Path) -> None:
    (result,) = segmented(images(tmp_path, NOISE), tmp_path / "out")
    assert isinstance(result, SegmentedImage)
    assert [file.name for file in result.files] == [
        "0_labels.tif", "0_cells.csv", "0_overlay.png"
    ]  # fmt: skip
    assert sorted((tmp_path / "out").iterdir()) == sorted(result.files)
    np.testing.assert_array_equal(tifffile.imread(result.files[0]), squares(3))
    with Image.open(result.files[2]) as overlay:
        assert overlay.size == (WIDTH_PX, HEIGHT_PX)


def test_the_table_is_measured_on_the_image_in_its_own_pixel_size(tmp_path: Path) -> None:
    (result,) = segmented(images(tmp_path, NOISE), tmp_path / "out")
    assert isinstance(result, SegmentedImage)
    table = pd.read_csv(result.cells)
    assert table["area_um2"].tolist() == [4, 4, 4]
    first = NOISE[squares(3) == 1]
    assert table["intensity_mean"][0] == pytest.approx(first.mean(), rel=1e-6)
    assert result.summary.cell_count == 3


def test_a_pixel_size_that_is_given_goes_before_the_file_s(tmp_path: Path) -> None:
    (result,) = segmented(images(tmp_path, NOISE), tmp_path / "out", pixel_size_um=1.0)
    assert isinstance(result, SegmentedImage)
    assert pd.read_csv(result.cells)["area_um2"].tolist() == [16, 16, 16]


def test_what_is_not_asked_for_is_not_written_and_what_is_is(tmp_path: Path) -> None:
    options = {"overlay": False, "distance": True, "texture": True}
    (result,) = segmented(images(tmp_path, NOISE), tmp_path / "out", **options)
    assert isinstance(result, SegmentedImage)
    assert [file.name for file in result.files] == [
        "0_labels.tif", "0_cells.csv", "0_distance.tif"
    ]  # fmt: skip
    np.testing.assert_array_equal(
        tifffile.imread(result.files[2]), (squares(3) > 0).astype(np.float32)
    )
    assert any("contrast" in column for column in pd.read_csv(result.cells).columns)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32", "float64"])
def test_images_of_any_number_type_are_taken(tmp_path: Path, dtype: str) -> None:
    image = (NOISE // 17).astype(dtype)
    (result,) = segmented(images(tmp_path, image), tmp_path / "out")
    assert isinstance(result, SegmentedImage)
    means = pd.read_csv(result.cells)["intensity_mean"]
    assert means[0] == pytest.approx(image[squares(3) == 1].mean(), rel=1e-6)


@pytest.mark.parametrize("bad", range(4))
def test_failures_stand_in_their_places_with_their_reasons(
    tmp_path: Path, bad: int
) -> None:
    arrays: list[npt.NDArray[Any] | bytes] = [NOISE, NOISE, NOISE, NOISE]
    arrays[bad], arrays[(bad + 2) % 4] = b"no image", DARK
    results = segmented(images(tmp_path, *arrays), tmp_path / "out")
    assert [result.task.stem.name for result in results] == ["0", "1", "2", "3"]
    unread, dark = results[bad], results[(bad + 2) % 4]
    assert f"{bad}.tif cannot be read as an image" in str(unread)
    assert str(dark).endswith(".tif: it is dark in here")
    assert sum(isinstance(result, SegmentedImage) for result in results) == 2


def test_images_that_all_fail_are_all_told_of(tmp_path: Path) -> None:
    results = segmented(images(tmp_path, b"", b"no"), tmp_path / "out")
    assert [type(result) for result in results] == [FailedImage, FailedImage]
    assert not (tmp_path / "out").exists()


def test_a_stack_fails_and_is_sent_to_replay(tmp_path: Path) -> None:
    (result,) = segmented(images(tmp_path, np.stack([NOISE] * 3)), tmp_path / "out")
    assert isinstance(result, FailedImage)
    assert "samcell-live replay" in result.reason


def test_a_result_that_does_not_fit_its_image_fails(tmp_path: Path) -> None:
    def too_small(sources: Iterable[Source]) -> Iterator[Outcome]:
        labels: Labels = np.zeros((2, 2), dtype=np.int32)
        for source in sources:
            yield source, Segmentation(labels, labels.astype(np.float32), MAKING)

    steps = segment_images(images(tmp_path, NOISE), too_small, Outputs(tmp_path / "out"))
    assert [type(result) for result in steps] == [FailedImage]


def test_a_result_that_cannot_be_written_ends_the_batch(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="out"):
        segmented(images(tmp_path, NOISE, NOISE), tmp_path / "out")


def test_once_told_to_stop_no_more_images_are_begun(tmp_path: Path) -> None:
    stop = threading.Event()
    outputs = Outputs(tmp_path / "out")
    paths = images(tmp_path, *[NOISE] * 9)
    steps = segment_images(paths, three_cells, outputs, stop=stop)
    done = [next(steps)]
    stop.set()
    done.extend(steps)
    assert 1 <= len(done) < 9
    labels = [path.name for path in (tmp_path / "out").glob("*_labels.tif")]
    assert len(labels) == len(done)


def test_images_with_results_are_known(tmp_path: Path) -> None:
    paths = images(tmp_path, NOISE, NOISE)
    outputs = Outputs(tmp_path / "out")
    segmented(paths[1:], tmp_path / "out")
    assert with_results(paths, outputs) == paths[1:]


@pytest.mark.parametrize("pixel_size_um", [0.0, -1.0, float("nan")])
def test_a_pixel_size_that_cannot_be_is_refused(
    tmp_path: Path, pixel_size_um: float
) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        Outputs(tmp_path, pixel_size_um=pixel_size_um)


def test_the_next_item_is_worked_on_while_the_last_is_used() -> None:
    begun = [threading.Event() for _ in range(3)]

    def work(number: int) -> int:
        begun[number].set()
        return number

    results = in_background(work, range(3))
    assert next(results) == 0
    assert begun[1].wait(timeout=30)
    assert list(results) == [1, 2]


def test_what_goes_wrong_in_the_background_comes_to_light() -> None:
    results = in_background(lambda number: 1 // number, [1, 0, 1])
    with pytest.raises(ZeroDivisionError):
        list(results)
