"""From what a user calls a model to the file with its weights."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from samcell_live.segmentation.weights.cache import (
    at_address,
    cached_path,
    fetch,
    imported_names,
    imported_path,
)
from samcell_live.segmentation.weights.checksum import check_sha256, file_sha256
from samcell_live.segmentation.weights.download import Progress
from samcell_live.segmentation.weights.registry import (
    PUBLISHED,
    STARTER,
    PublishedModel,
    refuse_for_segmenting,
)


def find_weights(
    model: str, *, for_training: bool = False, on_progress: Progress | None = None
) -> Path:
    """Give the weights file of a model, fetching it if need be.

    Parameters
    ----------
    model : str
        ``starter``, a name in `PUBLISHED`, a name under which weights were imported, an
        address (``https://...``) or the path of a file.
    for_training : bool
        Whether training starts from it. SAM as Meta trained it serves for that only.
    on_progress : callable, optional
        Told of the bytes fetched so far, and of all.

    Raises
    ------
    ValueError
        If it is none of these, cannot segment, or is not what it was at first.
    OSError
        If the file cannot be fetched.
    """
    published = published_model(model)
    if published is not None:
        if not for_training:
            refuse_for_segmenting(published)
        path = fetch(published, on_progress)
    else:
        path = _local_path(model)
    if not for_training:
        _refuse_sam_itself(path)
    return path


def published_model(model: str) -> PublishedModel | None:
    """Describe what is fetched for a name or an address; None if nothing is."""
    if model.startswith(("https://", "http://")):
        by_address = {known.url: known for known in PUBLISHED.values()}
        return by_address.get(model, at_address(model))
    return PUBLISHED.get(model)


def find_present_weights(model: str) -> Path:
    """Give the weights file of a model, whatever it serves for, without any network.

    Raises
    ------
    ValueError
        If it is unknown, not fetched yet, or not what it was at first.
    """
    published = published_model(model)
    if published is None:
        return _local_path(model)
    if not cached_path(published).exists():
        raise ValueError(
            f"{model} is not on this computer. Fetch it: samcell-live models fetch {model}"
        )
    return fetch(published)


def _local_path(model: str) -> Path:
    if model == STARTER:
        return Path(str(resources.files("samcell_live") / "models" / "starter.safetensors"))
    if model in imported_names():
        path = imported_path(model)
        check_sha256(path)
        return path
    path = Path(model).expanduser()
    if not path.is_file():
        names = ", ".join([STARTER, *PUBLISHED, *imported_names()])
        raise ValueError(
            f"{model!r} is neither a model nor a file. Give {names}, an address "
            "(https://...) or the path of a weights file."
        )
    return path


def _refuse_sam_itself(path: Path) -> None:
    """Refuse Meta's own files under whatever name they lie."""
    size = path.stat().st_size
    for model in PUBLISHED.values():
        if model.size_bytes == size and model.sha256 == file_sha256(path):
            refuse_for_segmenting(model)
