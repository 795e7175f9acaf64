"""Single images in; label images, pictures and tables out, whatever befalls one of them."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TypeAlias, TypeVar

from samcell_live.recordings.background import in_background
from samcell_live.recordings.choose_images import result_stems
from samcell_live.recordings.image_file import read_still
from samcell_live.recordings.image_results import (
    FailedImage,
    FoundCells,
    ImageTask,
    Outputs,
    SegmentedImage,
    measure_image,
    write_image_results,
)
from samcell_live.records import NAN, Frame, FrameKey, Segmentation
from samcell_live.segmentation.stream import Outcome, Source

logger = logging.getLogger(__name__)

T = TypeVar("T")

Stream: TypeAlias = Callable[[Iterable[Source]], Iterator[Outcome]]
"""Gives every image its cells, or why there are none, in the order of the images."""


def segment_images(
    images: Sequence[Path],
    stream: Stream,
    outputs: Outputs,
    *,
    stop: threading.Event | None = None,
) -> Generator[SegmentedImage | FailedImage, None, None]:
    """Segment image files one by one; one that fails stops no other.

    While an image is segmented, the next is read and the last is measured and written.

    Parameters
    ----------
    images : sequence of Path
        Results are named by `result_stems`.
    stream : callable
        ``partial(outcomes, segmenter)``, or what can stand for it.
    outputs : Outputs
    stop : Event, optional
        Once set, no more images are begun; what is begun is finished.

    Yields
    ------
    SegmentedImage or FailedImage
        In the order of the images.

    Raises
    ------
    ValueError
        If results of two images would have the same name: nothing is written then.
    OSError
        If a result cannot be written, as when the disk is full.
    """
    tasks = [ImageTask(image, stem) for image, stem in result_stems(images).items()]
    begun = takewhile(lambda task: stop is None or not stop.is_set(), tasks)
    found = _segment(stream, map(partial(_read, outputs), begun))
    yield from in_background(partial(_measure_and_write, outputs), found)


def with_results(images: Sequence[Path], outputs: Outputs) -> list[Path]:
    """Images whose results are in the folder already, from an earlier call."""
    stems = result_stems(images)
    return [image for image in images if outputs.labels_file(stems[image]).exists()]


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """An image that has been read."""

    task: ImageTask
    frame: Frame


def _read(outputs: Outputs, task: ImageTask) -> _Picture | FailedImage:
    def read() -> _Picture:
        still = read_still(task.image)
        size_um = outputs.pixel_size_um or still.pixel_size_um or NAN
        return _Picture(task, Frame(FrameKey(), still.pixels, size_um))

    return _attempt(task, read)


def _segment(
    stream: Stream, pictures: Iterable[_Picture | FailedImage]
) -> Iterator[FoundCells | FailedImage]:
    """Send all that could be read through the stream; failures keep their places."""
    sent: deque[_Picture | FailedImage] = deque()

    def sources() -> Iterator[Source]:
        for picture in pictures:
            sent.append(picture)
            if isinstance(picture, _Picture):
                yield picture.frame

    for _, outcome in stream(sources()):
        while isinstance(picture := sent.popleft(), FailedImage):
            yield picture
        yield _outcome_of(picture, outcome)
    yield from (picture for picture in sent if isinstance(picture, FailedImage))


def _outcome_of(
    picture: _Picture, outcome: Segmentation | Exception
) -> FoundCells | FailedImage:
    if isinstance(outcome, Exception):
        return _failed(picture.task, outcome)
    return FoundCells(picture.task, picture.frame, outcome)


def _measure_and_write(
    outputs: Outputs, found: FoundCells | FailedImage
) -> SegmentedImage | FailedImage:
    """Measure, which may fail for one image, and write, which must not."""
    if isinstance(found, FailedImage):
        return found
    measured = _attempt(found.task, lambda: measure_image(outputs, found))
    if isinstance(measured, FailedImage):
        return measured
    return write_image_results(outputs, measured)


def _attempt(task: ImageTask, work: Callable[[], T]) -> T | FailedImage:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - one bad file must not end the batch
        return _failed(task, error)


def _failed(task: ImageTask, error: Exception) -> FailedImage:
    logger.info("No result for %s", task.image, exc_info=error)
    explained = isinstance(error, (ValueError, OSError))
    return FailedImage(
        task, str(error) if explained else f"{type(error).__name__}: {error}"
    )
