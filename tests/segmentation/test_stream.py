"""A stream gives what single calls give, in order, and loses nothing to a bad image."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from segmenters import CENTRES, blobs, sees_brightness

from samcell_live.records import Frame, FrameKey
from samcell_live.segmentation.segmenter import Segmenter
from samcell_live.segmentation.stages import Answer
from samcell_live.segmentation.stream import Source
from samcell_live.settings import SegmentationSettings

SHAPES = [(90, 150), (90, 150), (40, 50), (90, 150), (1, 1), (40, 50)]


def images() -> list[npt.NDArray[Any]]:
    return [
        np.roll(blobs(CENTRES), 7 * i, axis=1)[:height, :width]
        for i, (height, width) in enumerate(SHAPES)
    ]


def test_a_stream_gives_what_single_calls_give() -> None:
    segmenter = sees_brightness()
    given = images()

    streamed = list(segmenter.stream(given))

    assert all(source is image for (source, _), image in zip(streamed, given, strict=True))
    for image, (_, found) in zip(given, streamed, strict=True):
        expected = segmenter(image)
        np.testing.assert_array_equal(found.labels, expected.labels)
        np.testing.assert_allclose(found.distance, expected.distance, atol=1e-6)


@pytest.mark.usefixtures("one_thread")
def test_small_images_share_a_call_of_the_network() -> None:
    segmenter = sees_brightness()
    seen: list[int] = []
    segmenter._predict._network.register_forward_hook(
        lambda network, given, answer: seen.append(len(answer))
    )
    prepared = [segmenter.prepare(np.zeros((40, 50), np.uint8)) for _ in range(3)]

    segmenter.predict(prepared)

    assert seen == [3]


def test_frames_bring_their_pixel_size() -> None:
    segmenter = sees_brightness(SegmentationSettings(min_area_um2=400))
    image = np.maximum(blobs([(40, 40)]), blobs([(40, 100)], radius_px=4))

    ((_, found),) = segmenter.stream([Frame(FrameKey(), image, 2.0)])

    assert found.labels.max() == 1


def test_a_bad_image_raises_in_its_place() -> None:
    given: list[Source] = [blobs(CENTRES), np.zeros((0, 3)), blobs(CENTRES)]
    stream = sees_brightness().stream(given)

    next(stream)
    with pytest.raises(ValueError, match="at least one pixel"):
        next(stream)


def test_a_bad_image_is_told_and_the_others_go_on() -> None:
    told: list[tuple[Source, str]] = []
    bad = np.full((3, 3), np.nan)
    given: list[Source] = [blobs(CENTRES), bad, blobs(CENTRES)]

    found = list(
        sees_brightness().stream(
            given,
            on_error=lambda source, error: told.append((source, str(error))),
        )
    )

    assert len(found) == 2
    assert told[0][0] is bad
    assert "NaN" in told[0][1]


class FailsTogether(Segmenter):
    """Stands for a device on which one image breaks every call that it is in."""

    def predict(self, images: Any) -> list[Answer]:
        if any(image.pixels.max() == 0 for image in images):
            raise RuntimeError("poison")
        return super().predict(images)


def test_an_image_that_breaks_a_call_does_not_take_others_with_it() -> None:
    segmenter = sees_brightness()
    segmenter.__class__ = FailsTogether
    told: list[str] = []
    given: list[Source] = [blobs(CENTRES)[:40, :50], np.zeros((40, 50), np.uint8)] * 3

    found = list(segmenter.stream(given, on_error=lambda _, error: told.append(str(error))))

    assert len(found) == 3
    assert told == ["poison"] * 3


def test_what_the_source_raises_ends_the_stream() -> None:
    def sources() -> Iterator[npt.NDArray[Any]]:
        yield blobs(CENTRES)
        raise OSError("the disk is gone")

    stream = sees_brightness().stream(sources())

    next(stream)
    with pytest.raises(OSError, match="the disk is gone"):
        next(stream)


def test_a_source_that_makes_wait_holds_no_result_back() -> None:
    arriving: queue.Queue[npt.NDArray[Any] | None] = queue.Queue()
    arriving.put(blobs(CENTRES))

    def sources() -> Iterator[npt.NDArray[Any]]:
        while (image := arriving.get(timeout=60)) is not None:
            yield image

    stream = sees_brightness().stream(sources())
    _, found = next(stream)  # while the source waits for a second image
    arriving.put(None)

    assert found.labels.max() == len(CENTRES)
    assert list(stream) == []


def test_the_next_image_is_prepared_while_the_device_works() -> None:
    segmenter = sees_brightness()
    second_prepared = threading.Event()
    given = images()[:2]

    class Watched(Segmenter):
        def prepare(self, pixels: npt.NDArray[Any], pixel_size_um: float = 1.0) -> Any:
            ready = super().prepare(pixels, pixel_size_um)
            if pixels is given[1]:
                second_prepared.set()
            return ready

        def predict(self, images: Any) -> list[Answer]:
            assert second_prepared.wait(timeout=60)
            return super().predict(images)

    segmenter.__class__ = Watched

    assert len(list(segmenter.stream(given))) == 2


def test_the_device_goes_on_while_the_last_image_is_finished() -> None:
    segmenter = sees_brightness()
    started: list[int] = []
    second_started = threading.Event()

    class Watched(Segmenter):
        def predict(self, images: Any) -> list[Answer]:
            started.append(len(images))
            if len(started) == 2:
                second_started.set()
            return super().predict(images)

        def finish(self, prepared: Any, answer: Answer) -> Any:
            assert second_started.wait(timeout=60)
            return super().finish(prepared, answer)

    segmenter.__class__ = Watched

    assert len(list(segmenter.stream([images()[0], images()[2]]))) == 2
