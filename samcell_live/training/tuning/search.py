"""Search the thresholds of a model on labelled images."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy.typing as npt

from samcell_live.records import DistanceMap
from samcell_live.training.data.formats import open_data
from samcell_live.training.data.labelled import read_pair
from samcell_live.training.metrics import Matching, pool
from samcell_live.training.thresholds import Thresholds
from samcell_live.training.tuning.grid import Grid
from samcell_live.training.tuning.matching import match_grid
from samcell_live.training.tuning.surface import Surface, average, make_surface

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from samcell_live.records import Labels
    from samcell_live.training.data.labelled import LabelledImage

Maps: TypeAlias = Callable[[npt.NDArray[Any]], DistanceMap]
"""From an image to its distance map, a new array: `DistanceMaps`, for one."""


class JudgedImages(NamedTuple):
    """Labelled images of one place, to judge a model on."""

    name: str
    images: tuple[LabelledImage, ...]


class Tuning(NamedTuple):
    """What a search found."""

    data_sets: tuple[Surface, ...]
    together: Surface
    """Mean over the data sets."""


def open_images(path: Path, split: str, name: str | None = None) -> JudgedImages:
    """Find the labelled images of a place to judge a model on.

    Parameters
    ----------
    path : Path
        Any place that `open_data` reads.
    split : str
        Of data that come in parts, the one to use; all of other data are used.
    name : str, optional
        Unset, the last two parts of the path.

    Raises
    ------
    ValueError
        As `open_data` does.
    """
    data = open_data(path)
    chosen = data.of_split(split) if split in data.splits else data.images
    return JudgedImages(name or "/".join(path.resolve().parts[-2:]), chosen)


def tune(
    data_sets: Sequence[JudgedImages],
    maps: Maps,
    own: Thresholds,
    grid: Grid,
    *,
    on_image: Callable[[], None] = lambda: None,
) -> Tuning:
    """Score every pair of thresholds on each data set, and on all together.

    Parameters
    ----------
    data_sets : sequence of JudgedImages
    maps : callable
        Asked once for each image.
    own : Thresholds
        The model's own, to compare with; its prominence is taken for each pair.
    grid : Grid
    on_image : callable
        Called after each image.

    Raises
    ------
    ValueError
        If an image cannot be read or predicted, or a data set has no labelled cell.
    """
    surfaces = tuple(_search(one, maps, own, grid, on_image) for one in data_sets)
    return Tuning(surfaces, average(surfaces))


def judge(image: LabelledImage, maps: Maps) -> tuple[DistanceMap, Labels]:
    """Read an image's truth and predict its map, background where the truth is silent.

    Returns
    -------
    distance : (height, width) float32
    labels : (height, width) int32
    """
    pixels, truth = read_pair(image)
    distance = maps(pixels)
    distance[truth.ignored] = 0
    return distance, truth.labels


def _search(
    data_set: JudgedImages,
    maps: Maps,
    own: Thresholds,
    grid: Grid,
    on_image: Callable[[], None],
) -> Surface:
    own_grid = Grid((own.peak,), (own.fill,))
    total: list[Matching] = []
    for matchings in _match(data_set, maps, (own_grid, grid), own.prominence):
        total = _add(total, matchings) if total else matchings
        on_image()
    own_total, *others = total
    scored = own._replace(op_csb=own_total.op_csb)
    return make_surface(data_set.name, grid, others, scored)


def _add(some: Sequence[Matching], more: Sequence[Matching]) -> list[Matching]:
    """Add up image by image, so that no more is held than one grid."""
    return [pool(both) for both in zip(some, more, strict=True)]


def _match(
    data_set: JudgedImages, maps: Maps, grids: Sequence[Grid], prominence: float
) -> Iterator[list[Matching]]:
    """Predict image by image, while other threads match those before."""
    threads = os.cpu_count() or 1
    matched: deque[Future[list[Matching]]] = deque()
    with ThreadPoolExecutor(threads) as workers:
        for image in data_set.images:
            distance, labels = judge(image, maps)
            work = workers.submit(_match_all, distance, labels, grids, prominence)
            matched.append(work)
            if len(matched) > threads:
                yield matched.popleft().result()
        while matched:
            yield matched.popleft().result()


def _match_all(
    distance: DistanceMap, labels: Labels, grids: Sequence[Grid], prominence: float
) -> list[Matching]:
    return [one for grid in grids for one in match_grid(distance, labels, grid, prominence)]
