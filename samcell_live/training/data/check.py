"""Everything that is wrong with labelled images, before they are trained on."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from samcell_live.training.data.findings import Finding, ImageReport, Kind
from samcell_live.training.data.label_faults import check_truth
from samcell_live.training.data.labelled import DataSet, LabelledImage, Truth

SMALLEST_PX = 10
"""Cells of fewer pixels are reported: they are more often specks than cells."""

THREADS = 4


@dataclass(frozen=True, slots=True)
class DataReport:
    """What was found in all images of a place."""

    format: str
    images: tuple[ImageReport, ...]

    @property
    def n_problems(self) -> int:
        """Findings that somebody has to look at."""
        return sum(len(image.problems) for image in self.images)

    def images_by_kind(self) -> dict[Kind, int]:
        """How many images each kind of finding was made in."""
        of_images = [{one.kind for one in image.findings} for image in self.images]
        kinds = Counter(kind for found in of_images for kind in found)
        return {kind: kinds[kind] for kind in Kind if kinds[kind]}


def check_data(
    data: DataSet,
    *,
    smallest_px: int = SMALLEST_PX,
    on_image: Callable[[int], None] = lambda n_done: None,
) -> DataReport:
    """Read every image and its truth, and report what is wrong.

    Parameters
    ----------
    data : DataSet
    smallest_px : int
        A cell of fewer pixels is reported as tiny.
    on_image : callable
        Told how many images are done.
    """
    reports = []
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        check = partial(check_image, smallest_px=smallest_px)
        try:
            for report in pool.map(check, data.images):
                reports.append(report)
                on_image(len(reports))
        except BaseException:  # Ctrl-C too: what has not begun need not be read
            pool.shutdown(cancel_futures=True)
            raise
    alone = [_without_truth(name) for name in data.without_truth]
    return DataReport(data.format, (*_with_duplicates(reports), *alone))


def check_image(image: LabelledImage, smallest_px: int = SMALLEST_PX) -> ImageReport:
    """Look at one image and its truth."""
    findings: list[Finding] = []
    pixels = _try(image.read_pixels, findings)
    truth = _try(image.read_truth, findings)
    if pixels is not None:
        findings += _check_pixels(pixels)
    if truth is not None:
        findings += check_truth(truth, smallest_px)
    if pixels is not None and truth is not None:
        findings += _check_shapes(pixels, truth)
    return ImageReport(
        image.name,
        image.split,
        height_px=None if pixels is None else pixels.shape[0],
        width_px=None if pixels is None else pixels.shape[1],
        n_cells=None if truth is None else int(np.count_nonzero(np.unique(truth.labels))),
        fingerprint="" if pixels is None else _fingerprint(pixels),
        findings=tuple(findings),
    )


def _try(read: Callable[[], Any], findings: list[Finding]) -> Any:
    """Read, or add to the findings why that is not possible."""
    try:
        return read()
    except (ValueError, OSError) as error:
        findings.append(Finding(Kind.UNREADABLE, 1, str(error)))
        return None


def _check_pixels(pixels: npt.NDArray[Any]) -> list[Finding]:
    n_unknown = int(np.count_nonzero(~np.isfinite(pixels)))
    if n_unknown:
        return [Finding(Kind.NOT_FINITE, n_unknown, "px are NaN or infinite")]
    if pixels.size == 0 or pixels.min() == pixels.max():
        return [Finding(Kind.BLANK, 1, "all pixels are the same")]
    return []


def _check_shapes(pixels: npt.NDArray[Any], truth: Truth) -> list[Finding]:
    image, mask = pixels.shape[:2], truth.labels.shape
    if image == mask:
        return []
    what = f"image {image}, mask {mask} (height, width)"
    turned = ", as if turned by 90 degrees" if image == mask[::-1] else ""
    return [Finding(Kind.SHAPE_MISMATCH, 1, what + turned)]


def _fingerprint(pixels: npt.NDArray[Any]) -> str:
    """The same for equal pixels, whatever the format and the name of the file."""
    shape = "x".join(map(str, pixels.shape))
    return sha256(shape.encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def _without_truth(name: str) -> ImageReport:
    finding = Finding(Kind.NO_TRUTH, 1, "nobody labelled this image; it is left out")
    return ImageReport(name, "", None, None, None, "", (finding,))


def _with_duplicates(reports: Iterable[ImageReport]) -> list[ImageReport]:
    """Add a finding to each image whose very pixels are there more than once."""
    reports = list(reports)
    same = defaultdict(list)
    for report in reports:
        if report.fingerprint:
            same[report.fingerprint].append(report)
    return [_tell_of(same[report.fingerprint], report) for report in reports]


def _tell_of(same: Iterable[ImageReport], report: ImageReport) -> ImageReport:
    others = [other for other in same if other is not report]
    if not others:
        return report
    leak = any(other.split != report.split for other in others)
    names = ", ".join(f"{other.name} ({other.split})" for other in others)
    what = "what was trained on is tested on" if leak else "it counts several times"
    kind = Kind.LEAK if leak else Kind.DUPLICATE
    finding = Finding(kind, len(others), f"same pixels as {names}: {what}")
    return replace(report, findings=(*report.findings, finding))
