"""The last files that were written stay in the system's memory; earlier ones need not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from samcell_live.store.page_cache import RecentFiles

pytestmark = pytest.mark.skipif(
    not hasattr(os, "posix_fadvise"), reason="this system takes no advice on files"
)


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose memory was given back."""
    names: list[str] = []

    def advise(descriptor: int, offset: int, length: int, advice: int) -> None:
        assert (offset, length, advice) == (0, 0, os.POSIX_FADV_DONTNEED)
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    monkeypatch.setattr(os, "posix_fadvise", advise)
    return names


def written(folder: Path, name: str, n_bytes: int = 4) -> Path:
    file = folder / name
    file.write_bytes(bytes(n_bytes))
    return file


def test_the_earliest_go_when_all_together_are_too_long(
    tmp_path: Path, released: list[str]
) -> None:
    recent = RecentFiles(most_bytes=10)

    for name in "abcde":
        recent.add(written(tmp_path, name))

    assert released == ["a", "b", "c"]


def test_a_file_that_is_too_long_by_itself_stays_until_the_next(
    tmp_path: Path, released: list[str]
) -> None:
    recent = RecentFiles(most_bytes=10)

    recent.add(written(tmp_path, "long", 20))
    assert released == []
    recent.add(written(tmp_path, "next"))
    assert released == ["long"]


def test_files_that_are_gone_are_no_fault(tmp_path: Path, released: list[str]) -> None:
    recent = RecentFiles(most_bytes=4)
    removed_later = written(tmp_path, "removed later")

    recent.add(removed_later)
    removed_later.unlink()
    recent.add(tmp_path / "never there")
    recent.add(written(tmp_path, "a"))
    recent.add(written(tmp_path, "b"))

    assert released == ["a"]
