"""Threads share one network: frames side by side, answers and errors each to its own."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from segmenters import blobs, sees_brightness

from samcell_live.analysis.network import SharedNetwork
from samcell_live.records import NAN, Frame, FrameKey, Segmentation
from samcell_live.segmentation.segmenter import Segmenter
from samcell_live.segmentation.stages import Answer, Prepared

SMALL, LARGE = (60, 60), (90, 150)


def picture(t: int, shape: tuple[int, int] = SMALL) -> Frame:
    return Frame(FrameKey(t=t), blobs([(20, 20 + t)], shape=shape), NAN)


def watched(
    segmenter: Segmenter, before: Callable[[Sequence[Prepared]], None]
) -> Segmenter:
    """Have a function called with the images of every call of the network."""
    predict = segmenter.predict

    def predict_watched(images: Sequence[Prepared]) -> list[Answer]:
        before(images)
        return predict(images)

    segmenter.predict = predict_watched  # type: ignore[method-assign]
    return segmenter


def behind_the_first(
    network: SharedNetwork, may_go_on: threading.Event, frames: Sequence[Frame]
) -> list[Future[tuple[Segmentation, float]]]:
    """Bring frames; all but the first wait for the network until the first may go on."""
    with ThreadPoolExecutor(len(frames)) as pool:
        answers = []
        for n_waiting, frame in enumerate(frames):
            answers.append(pool.submit(network, network.prepare(frame)))
            while n_waiting and len(network._turns._waiting) < n_waiting:
                time.sleep(0.001)
        may_go_on.set()
    return answers


def test_frames_that_wait_share_a_call_as_far_as_they_fit_and_are_alike() -> None:
    may_go_on = threading.Event()
    shapes: list[tuple[int, tuple[int, ...]]] = []

    def note(images: Sequence[Prepared]) -> None:
        shapes.append((len(images), tuple(images[0].pixels.shape)))
        assert may_go_on.wait(10)

    segmenter = watched(sees_brightness(), note)
    frames = [picture(t) for t in range(6)] + [picture(6, LARGE), picture(7)]
    answers = behind_the_first(SharedNetwork(segmenter), may_go_on, frames)
    assert segmenter.batch_tiles == 4
    assert shapes == [(1, SMALL), (4, SMALL), (1, SMALL), (1, LARGE), (1, SMALL)]
    for frame, answer in zip(frames, answers, strict=True):
        alone = sees_brightness()(frame.pixels)
        assert np.array_equal(answer.result()[0].labels, alone.labels)


def test_a_frame_that_the_network_fails_on_takes_no_other_with_it() -> None:
    may_go_on = threading.Event()
    bad = picture(2)
    bad.pixels[:] = 7

    def fail_on_the_bad(images: Sequence[Prepared]) -> None:
        assert may_go_on.wait(10)
        if any(float(image.pixels.max()) == float(image.pixels.min()) for image in images):
            raise RuntimeError("no contrast")

    network = SharedNetwork(watched(sees_brightness(), fail_on_the_bad))
    frames = [picture(0), picture(1), bad, picture(3)]
    answers = behind_the_first(network, may_go_on, frames)
    assert [answers[t].result()[0].labels.max() for t in (0, 1, 3)] == [1, 1, 1]
    with pytest.raises(RuntimeError, match="no contrast"):
        answers[2].result()


def test_the_time_of_a_frame_does_not_count_its_wait_for_the_network() -> None:
    may_go_on = threading.Event()

    def block(images: Sequence[Prepared]) -> None:
        assert may_go_on.wait(10)

    network = SharedNetwork(watched(sees_brightness(), block))
    network._segmenter.finish(  # compiled at first use
        network._segmenter.prepare(picture(0).pixels),
        sees_brightness().predict([network._segmenter.prepare(picture(0).pixels)])[0],
    )
    started = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(network, network.prepare(picture(0)))
        second = pool.submit(network, network.prepare(picture(1, LARGE)))
        time.sleep(1)
        may_go_on.set()
    whole_ms = (time.perf_counter() - started) * 1e3
    inference_ms = sorted([first.result()[1], second.result()[1]])
    assert 1000 < inference_ms[1] <= whole_ms
    assert inference_ms[0] < whole_ms - 900
