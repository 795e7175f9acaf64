"""Many images through a segmenter, so that its device never waits for the rest.

While the device works on one image, one thread prepares the next and another turns the
last distance map into cells. Small images share a call of the network.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy.typing as npt

from samcell_live.records import Frame, Segmentation

if TYPE_CHECKING:
    from samcell_live.segmentation.segmenter import Segmenter
    from samcell_live.segmentation.stages import Answer, Prepared

Source: TypeAlias = Frame | npt.NDArray[Any]
"""A frame with its pixel size, or the pixels alone."""

Outcome: TypeAlias = tuple[Source, Segmentation | Exception]
"""What was given, and its cells or why there are none."""

AHEAD = 2
"""Images that wait before the device, and images that wait behind it."""


class _Ready(NamedTuple):
    """An image before the device: prepared, or why it could not be."""

    source: Source
    prepared: Prepared | Exception


def outcomes(segmenter: Segmenter, sources: Iterable[Source]) -> Iterator[Outcome]:
    """Segment images in their order, stage beside stage.

    An image whose stages raise does not end the stream; what `sources` raises does. A
    source that makes wait holds no finished outcome back.
    """
    remaining = iter(sources)
    before, behind = ThreadPoolExecutor(1), ThreadPoolExecutor(1)

    def prepare_next() -> _Ready | None:
        source = next(remaining, None)
        return None if source is None else _prepare(segmenter, source)

    coming = deque(before.submit(prepare_next) for _ in range(AHEAD))
    leaving: deque[Future[Outcome]] = deque()
    try:
        while coming or leaving:
            if coming and leaving:
                either: list[Future[Any]] = [coming[0], leaving[0]]
                wait(either, return_when=FIRST_COMPLETED)
            may_go_on = len(leaving) < AHEAD and coming and _is_prepared(coming[0])
            if leaving and not may_go_on:
                yield leaving.popleft().result()
                continue
            group = _take_group(segmenter, coming)
            if not group:
                coming.clear()
                continue
            coming.extend(before.submit(prepare_next) for _ in group)
            for ready, answer in zip(group, _predict(segmenter, group), strict=True):
                leaving.append(behind.submit(_finish, segmenter, ready, answer))
    finally:
        before.shutdown(wait=False, cancel_futures=True)
        behind.shutdown(wait=False, cancel_futures=True)


def _is_prepared(coming: Future[_Ready | None]) -> bool:
    """Whether an image waits for the device, rather than the device for it."""
    return coming.done() and coming.exception() is None


def _take_group(segmenter: Segmenter, coming: deque[Future[_Ready | None]]) -> list[_Ready]:
    """Take the first image, and those ready behind it that fit into the same call."""
    first = coming.popleft().result()
    if first is None:
        return []
    group = [first]
    while coming and _is_prepared(coming[0]):
        following = coming[0].result()
        if following is None or not _fit_together(segmenter, [*group, following]):
            break
        group.append(following)
        coming.popleft()
    return group


def _fit_together(segmenter: Segmenter, group: list[_Ready]) -> bool:
    images = _images(group)
    if len(images) < len(group) or len({image.pixels.shape for image in images}) > 1:
        return False
    return sum(map(segmenter.n_tiles, images)) <= segmenter.batch_tiles


def _images(group: list[_Ready]) -> list[Prepared]:
    return [one.prepared for one in group if not isinstance(one.prepared, Exception)]


def _prepare(segmenter: Segmenter, source: Source) -> _Ready:
    try:
        if isinstance(source, Frame):
            return _Ready(source, segmenter.prepare(source.pixels, source.pixel_size_um))
        return _Ready(source, segmenter.prepare(source))
    except Exception as error:  # noqa: BLE001 - this image's outcome; the others go on
        return _Ready(source, error)


def _predict(segmenter: Segmenter, group: list[_Ready]) -> list[Answer | Exception]:
    """Put a group on the device; if that fails, each image by itself."""
    for one in group:
        if isinstance(one.prepared, Exception):
            return [one.prepared]
    try:
        return list(segmenter.predict(_images(group)))
    except Exception as error:  # noqa: BLE001 - as above
        if len(group) == 1:
            return [error]
    return [answer for one in group for answer in _predict(segmenter, [one])]


def _finish(segmenter: Segmenter, ready: _Ready, answer: Answer | Exception) -> Outcome:
    source, prepared = ready
    if isinstance(prepared, Exception):
        return source, prepared
    if isinstance(answer, Exception):
        return source, answer
    try:
        return source, segmenter.finish(prepared, answer)
    except Exception as error:  # noqa: BLE001 - as above
        return source, error
