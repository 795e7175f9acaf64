"""The models that have names, and which of them are on this computer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from samcell_live.segmentation.weights.cache import (
    cached_path,
    imported_names,
    imported_path,
)
from samcell_live.segmentation.weights.checksum import file_sha256, recorded_sha256
from samcell_live.segmentation.weights.lookup import find_present_weights
from samcell_live.segmentation.weights.registry import (
    PUBLISHED,
    STARTER,
    STARTER_TERMS,
    PublishedModel,
)


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One line of `samcell-live models list`."""

    name: str
    what: str
    terms: str
    size_bytes: int | None
    """None where it is not known."""
    path: Path | None
    """None if it is not on this computer."""
    sha256: str | None
    """None where it is neither published nor recorded yet."""
    checksum: str | None
    """Where the checksum comes from."""


def list_models() -> list[ListedModel]:
    """List the starter, what is published and what was imported; needs no network."""
    return [
        _starter(),
        *(_published(model) for model in PUBLISHED.values()),
        *(_imported(name) for name in imported_names()),
    ]


def _starter() -> ListedModel:
    path = find_present_weights(STARTER)
    return ListedModel(
        name=STARTER,
        what="a compact network for any computer; not SAMCell",
        terms=STARTER_TERMS,
        size_bytes=path.stat().st_size,
        path=path,
        sha256=file_sha256(path),
        checksum="in the package",
    )


def _published(model: PublishedModel) -> ListedModel:
    path = cached_path(model)
    here = path.exists()
    recorded = recorded_sha256(path)
    return ListedModel(
        name=model.name,
        what=model.what,
        terms=model.terms,
        size_bytes=path.stat().st_size if here else model.size_bytes,
        path=path if here else None,
        sha256=model.sha256 or recorded,
        checksum="published" if model.sha256 else "recorded" if recorded else None,
    )


def _imported(name: str) -> ListedModel:
    path = imported_path(name)
    recorded = recorded_sha256(path)
    return ListedModel(
        name=name,
        what="imported",
        terms="See: samcell-live models info " + name,
        size_bytes=path.stat().st_size,
        path=path,
        sha256=recorded,
        checksum=None if recorded is None else "recorded",
    )
