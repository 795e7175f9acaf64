"""The folder where fetched and imported weights are kept, and how they get there."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pooch
from filelock import FileLock, Timeout

from samcell_live.segmentation.weights.checksum import check_sha256, recorded_sha256
from samcell_live.segmentation.weights.download import Progress, ResumingDownloader
from samcell_live.segmentation.weights.registry import PUBLISHED, PublishedModel

logger = logging.getLogger(__name__)

FOLDER_VARIABLE = "SAMCELL_LIVE_MODELS"
"""Environment variable that names another folder for weights."""

IMPORTED_SUFFIX = ".safetensors"


def models_folder() -> Path:
    """Folder of fetched and imported weights: the user's cache, or where the user says."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    return Path(pooch.os_cache("samcell_live")) / "models"


def imported_path(name: str) -> Path:
    """Where the weights that were imported under a name lie."""
    return models_folder() / "imported" / f"{name}{IMPORTED_SUFFIX}"


def imported_names() -> list[str]:
    """Names of all imported weights, sorted."""
    folder = imported_path("").parent
    return sorted(path.stem for path in folder.glob(f"?*{IMPORTED_SUFFIX}"))


def cached_path(model: PublishedModel) -> Path:
    """Where the weights of a published model lie, once they are fetched."""
    name = PurePosixPath(unquote(urlsplit(model.url).path)).name or "weights"
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    if model.name in PUBLISHED:
        return models_folder() / safe
    # Two addresses may end in the same name.
    return models_folder() / f"{hashlib.sha256(model.url.encode()).hexdigest()[:16]}-{safe}"


def at_address(url: str) -> PublishedModel:
    """Describe weights of which only the address is known."""
    return PublishedModel(
        name=url,
        what="weights at an address",
        url=url,
        terms="Its terms of use are not known here: ask who offers it.",
    )


def fetch(model: PublishedModel, on_progress: Progress | None = None) -> Path:
    """Give a published model's file, downloaded if need be, and checked each time.

    A file that is there needs no network. One process at a time downloads a file; others
    that want it wait.

    Raises
    ------
    ValueError
        If the file is not what was published, or what it was when it was first fetched.
    OSError
        If it cannot be fetched.
    """
    path = cached_path(model)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            if not path.exists():  # nobody else has fetched it meanwhile
                _download(model, path, on_progress)
    check_sha256(path, model.sha256)
    return path


def _download(model: PublishedModel, path: Path, on_progress: Progress | None) -> None:
    logger.warning("Fetching %s. %s", model.url, model.terms)
    pooch.get_logger().setLevel(logging.WARNING)  # it would say the same once more
    expected = model.sha256 or recorded_sha256(path)
    download = ResumingDownloader(
        partial=path.with_name(f"{path.name}.partial"),
        on_progress=on_progress or (lambda done, total: None),
    )
    try:
        pooch.retrieve(
            model.url, expected, fname=path.name, path=path.parent, downloader=download
        )
    except ValueError as error:  # pooch's word for a wrong checksum
        told = "published" if model.sha256 else "recorded when it was first fetched"
        raise ValueError(
            f"What {model.url} gives is not what was {told}, and was not kept ({error}). "
            "Try again; if that does not help, the file there was replaced."
        ) from error
    except OSError as error:
        raise OSError(
            f"{model.url} could not be fetched: {error}. Try again later, or fetch it "
            "elsewhere and give its path as the model."
        ) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        logger.warning("Another process is fetching %s: waiting for it.", path.name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
