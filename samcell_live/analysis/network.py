"""One network for several threads, each with a frame of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import takewhile

from samcell_live.records import Frame, Segmentation
from samcell_live.segmentation.segmenter import Segmenter
from samcell_live.segmentation.stages import Answer, Prepared
from samcell_live.together import Together


class SharedNetwork:
    """Segments frames that threads bring: stages side by side, the network one at a time.

    While the device works on one frame, other threads prepare theirs or flood theirs.
    Small frames that wait for the device together share a call. The device's answer is
    waited for before the next call begins, so that an error is that of its own frame.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._turns = Together(self._predict, self._n_in_one_call)

    def prepare(self, frame: Frame) -> Prepared:
        """Make a frame ready for the network."""
        return self._segmenter.prepare(frame.pixels, frame.pixel_size_um)

    def __call__(self, prepared: Prepared) -> tuple[Segmentation, float]:
        """Segment a frame that is ready.

        Returns
        -------
        segmentation : Segmentation
        inference_ms : float
            Time in the network and the watershed, without the wait for a turn.
        """
        answer, network_s = self._turns(prepared)
        started = time.perf_counter()
        segmentation = self._segmenter.finish(prepared, answer)
        return segmentation, (network_s + time.perf_counter() - started) * 1e3

    def _predict(self, images: Sequence[Prepared]) -> list[tuple[Answer, float]]:
        """Give each image its answer, and its share of the seconds that they took."""
        started = time.perf_counter()
        answers = self._segmenter.predict(images)
        for answer in answers:
            answer.wait()
        share_s = (time.perf_counter() - started) / len(images)
        return [(answer, share_s) for answer in answers]

    def _n_in_one_call(self, images: Sequence[Prepared]) -> int:
        first = images[0]
        n_alike = sum(
            1 for _ in takewhile(lambda one: one.pixels.shape == first.pixels.shape, images)
        )
        most = self._segmenter.batch_tiles // self._segmenter.n_tiles(first)
        return max(1, min(n_alike, most))
