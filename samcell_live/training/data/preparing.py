"""Labelled images prepared for training, once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from filelock import FileLock

from samcell_live.segmentation.distance import distance_map
from samcell_live.training.data.fitting import (
    Plane,
    fit_square,
    fitted_shape,
    grey_plane,
    number_anew,
)
from samcell_live.training.data.labelled import DataSet, LabelledImage, read_pair
from samcell_live.training.data.prepared import (
    INDEX,
    VERSION,
    Index,
    Preparation,
    PreparedData,
    PreparedImage,
)

THREADS = 4
"""Images that are prepared at a time: most of the work is done outside Python's lock."""


def prepare(
    data: DataSet,
    folder: Path,
    preparation: Preparation | None = None,
    *,
    on_image: Callable[[int], None] = lambda n_done: None,
) -> PreparedData:
    """Prepare every image once; what is there and unchanged is used as it is.

    The folder is named after a fingerprint of the images, their truth (names, sizes and
    times of change) and the preparation, so that a change makes another one. One that was
    killed is gone on with; two processes take turns.

    Parameters
    ----------
    data : DataSet
    folder : Path
        Gets a folder for this preparation. A pixel takes 8 to 13 bytes: all of LIVECell
        15 GB.
    preparation : Preparation, optional
    on_image : callable
        Told how many images are done.

    Raises
    ------
    ValueError
        If there is no image, or one cannot be read or does not fit its truth.
    """
    preparation = preparation or Preparation()
    target = folder / f"{data.path.resolve().name}-{fingerprint(data, preparation)[:12]}"
    if (target / INDEX).is_file():
        return PreparedData(target)
    if not data.images:
        raise ValueError(f"{data.path} has no labelled image to prepare.")
    target.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{target.name}.lock"):
        if not (target / INDEX).is_file():
            images = _prepare_all(data.images, target, preparation, on_image)
            index = Index(preparation=preparation, images=images)
            _replace(target / INDEX, index.model_dump_json(indent=1).encode())
    return PreparedData(target)


def fingerprint(data: DataSet, preparation: Preparation) -> str:
    """Text that is another once the images, their truth or the preparation is."""
    lines = [f"{image.split}/{image.name}: {image.version}" for image in data.images]
    text = "\n".join([f"version {VERSION}", preparation.model_dump_json(), *lines])
    return sha256(text.encode()).hexdigest()


def _prepare_all(
    images: Sequence[LabelledImage],
    target: Path,
    preparation: Preparation,
    on_image: Callable[[int], None],
) -> tuple[PreparedImage, ...]:
    rows = []
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        jobs = partial(_prepare_one, target=target, preparation=preparation)
        try:
            for row in pool.map(jobs, images, range(len(images))):
                rows.append(row)
                on_image(len(rows))
        except BaseException:  # Ctrl-C, too: images that wait are not begun
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(rows)


def _prepare_one(
    image: LabelledImage, number: int, *, target: Path, preparation: Preparation
) -> PreparedImage:
    """Write one image and then its row; a row on disk says that the image is."""
    row_file = target / f"{number:06d}.json"
    if row_file.is_file():
        return PreparedImage.model_validate_json(row_file.read_bytes())
    try:
        pixels, truth = read_pair(image)
        whole = Plane(grey_plane(pixels), number_anew(truth.labels), truth.ignored)
    except ValueError as error:
        raise ValueError(
            f"{image.name} cannot be prepared: {error} samcell-live data check names all "
            "such images."
        ) from error
    plane, shape = _fit(whole, preparation)
    row = PreparedImage(
        name=image.name,
        split=image.split,
        file=f"{number:06d}.npy",
        height_px=shape[0],
        width_px=shape[1],
        n_cells=_count(plane),
        n_lost=_count(whole) - _count(plane),
    )
    _write_plane(target / row.file, plane)
    _replace(row_file, row.model_dump_json().encode())
    return row


def _fit(whole: Plane, preparation: Preparation) -> tuple[Plane, tuple[int, ...]]:
    """Plane of the size that is asked for, and its shape without padding."""
    if preparation.fit_px is None:
        return whole, whole.labels.shape
    plane = fit_square(whole, preparation.fit_px)
    shape = fitted_shape(whole.labels.shape, preparation.fit_px)
    return plane._replace(labels=number_anew(plane.labels)), shape


def _count(plane: Plane) -> int:
    return int(plane.labels.max(initial=0))


def _write_plane(path: Path, plane: Plane) -> None:
    """Write one array with a field for each of `PreparedArrays`: one file, read in part."""
    fields = [
        ("pixels", plane.pixels.dtype),
        ("labels", np.uint16 if plane.labels.max(initial=0) < 2**16 else np.int32),
        ("distance", np.float32),
        ("ignored", np.bool_),
    ]
    stored = np.empty(plane.labels.shape, dtype=fields)
    stored["pixels"] = plane.pixels
    stored["labels"] = plane.labels
    stored["distance"] = distance_map(plane.labels)
    stored["ignored"] = plane.ignored
    partial_path = path.with_suffix(".partial")
    with partial_path.open("wb") as file:
        np.save(file, stored)
    partial_path.replace(path)


def _replace(path: Path, text: bytes) -> None:
    partial_path = path.with_suffix(".json.partial")
    partial_path.write_bytes(text)
    partial_path.replace(path)
