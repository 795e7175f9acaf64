"""Where the weights of a model lie; those of others are fetched on first use."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pooch
from requests import RequestException

from samcell_live.segmentation.formats import file_sha256

logger = logging.getLogger(__name__)

_SAMCELL_RELEASE = "https://github.com/saahilsanganeriya/SAMCell/releases/download/v1/"
_SAMCELL_TERMS = (
    "SAMCell's weights were trained on LIVECell and Cellpose images, both CC BY-NC: "
    "not for commercial use, not to be passed on."
)


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """A file of weights that its authors offer for download."""

    url: str
    terms: str
    """Said when the file is fetched."""


PUBLISHED = {
    "samcell-generalist": PublishedWeights(
        _SAMCELL_RELEASE + "samcell-generalist.pt", _SAMCELL_TERMS
    ),
    "samcell-cyto": PublishedWeights(_SAMCELL_RELEASE + "samcell-cyto.pt", _SAMCELL_TERMS),
}


def find_weights(model: str) -> Path:
    """Give the weights file of a model, fetching it if need be.

    Parameters
    ----------
    model : str
        ``starter``, a name in `PUBLISHED`, or the path of a file.

    Raises
    ------
    ValueError
        If it is none of these, or a fetched file is not what it was at first.
    OSError
        If the file cannot be fetched.
    """
    if model == "starter":
        return Path(str(resources.files("samcell_live") / "models" / "starter.safetensors"))
    if model in PUBLISHED:
        return fetch(PUBLISHED[model], Path(pooch.os_cache("samcell_live")) / "models")
    path = Path(model).expanduser()
    if not path.is_file():
        raise ValueError(
            f"{model!r} is neither a model nor a file. "
            f"Give starter, {', '.join(PUBLISHED)}, or the path of a weights file."
        )
    return path


def fetch(published: PublishedWeights, folder: Path) -> Path:
    """Download a file once; later, check that it is still the same.

    No checksums are published, so the first download's is kept beside the file.

    Raises
    ------
    ValueError
        If the file is not what it was when it was fetched.
    OSError
        If the file cannot be fetched.
    """
    path = folder / published.url.rpartition("/")[2]
    record = path.with_name(f"{path.name}.sha256")
    if not (path.exists() and record.exists()):
        _download(published, path)
        record.write_text(file_sha256(path), encoding="utf-8")
    expected, found = record.read_text(encoding="utf-8").strip(), file_sha256(path)
    if found != expected:
        raise ValueError(
            f"{path} has changed since it was fetched: its SHA-256 is {found[:12]}..., "
            f"and was {expected[:12]}.... Delete it, and it will be fetched again."
        )
    return path


def _download(published: PublishedWeights, path: Path) -> None:
    logger.warning("Fetching %s. %s", published.url, published.terms)
    path.unlink(missing_ok=True)  # what a stopped download left has no record
    try:
        pooch.retrieve(published.url, known_hash=None, fname=path.name, path=path.parent)
    except (RequestException, OSError, ValueError) as error:
        raise OSError(
            f"{published.url} could not be fetched ({error}). Connect to the network, or "
            "fetch it elsewhere and give its path as the model."
        ) from error
