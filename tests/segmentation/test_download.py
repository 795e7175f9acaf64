"""A download that breaks off goes on where it was, and never gives half a file."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from file_server import Served, serving
from requests.exceptions import RequestException

from samcell_live.segmentation.weights.download import CHUNK_BYTES, ResumingDownloader

CONTENT = random.Random(1).randbytes(8 * CHUNK_BYTES + 17)
CUT = 3 * CHUNK_BYTES + 5


@pytest.fixture(autouse=True)
def straight_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def download(served: Served, folder: Path, attempts: int = 3) -> list[int]:
    """Download into ``folder/whole``; gives the bytes that progress was told of."""
    told: list[int] = []
    downloader = ResumingDownloader(
        folder / "part", lambda done, total: told.append(done), attempts, pause_s=0
    )
    downloader(served.address, str(folder / "whole"), None)
    return told


def first_byte(asked: str | None) -> int:
    assert asked is not None
    return int(asked.removeprefix("bytes=").removesuffix("-"))


def test_a_broken_connection_is_taken_up_where_it_broke(tmp_path: Path) -> None:
    with serving(CONTENT, cuts=[CUT]) as served:
        told = download(served, tmp_path)

    assert (tmp_path / "whole").read_bytes() == CONTENT
    assert served.asked[0] is None
    assert CUT - CHUNK_BYTES < first_byte(served.asked[1]) <= CUT
    assert len(served.asked) == 2
    assert told == sorted(told)
    assert told[-1] == len(CONTENT)


def test_the_next_call_goes_on_where_the_last_was_given_up(tmp_path: Path) -> None:
    with serving(CONTENT, cuts=[CUT]) as served:
        served.statuses = []
        with pytest.raises(RequestException):
            download_then_fail(served, tmp_path)
        kept = (tmp_path / "part").stat().st_size
        assert not (tmp_path / "whole").exists()
        download(served, tmp_path)

    assert 0 < kept <= CUT
    assert served.asked[-1] == f"bytes={kept}-"
    assert (tmp_path / "whole").read_bytes() == CONTENT


def download_then_fail(served: Served, folder: Path) -> None:
    """Download from a server that breaks off and then has only errors."""

    def fail_from_now_on(done: int, total: int | None) -> None:
        served.statuses = [503, 503] if done else []

    downloader = ResumingDownloader(folder / "part", fail_from_now_on, 2, pause_s=0)
    downloader(served.address, str(folder / "whole"), None)


def test_a_server_without_ranges_gives_the_whole_again(tmp_path: Path) -> None:
    with serving(CONTENT, cuts=[CUT], knows_ranges=False) as served:
        download(served, tmp_path)

    assert (tmp_path / "whole").read_bytes() == CONTENT
    assert len(served.asked) == 2


@pytest.mark.parametrize("version", [None, 'W/"weak"'])
def test_a_file_of_unknown_version_is_begun_again(
    tmp_path: Path, version: str | None
) -> None:
    with serving(CONTENT, cuts=[CUT], version=version) as served:
        download(served, tmp_path)

    assert served.asked == [None, None]
    assert (tmp_path / "whole").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_begun_again(tmp_path: Path) -> None:
    with serving(CONTENT, cuts=[CUT]) as served:
        with pytest.raises(RequestException):
            download_then_fail(served, tmp_path)
        served.content, served.version = CONTENT[::-1], '"two"'
        download(served, tmp_path)

    assert (tmp_path / "whole").read_bytes() == CONTENT[::-1]


def test_a_partial_file_that_is_longer_than_the_file_is_begun_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "part").write_bytes(CONTENT + b"more")
    (tmp_path / "part.version").write_text('"one"')
    with serving(CONTENT) as served:
        download(served, tmp_path)

    assert (tmp_path / "whole").read_bytes() == CONTENT


def test_a_server_that_always_breaks_at_the_same_byte_is_given_up(tmp_path: Path) -> None:
    with (
        serving(CONTENT, cuts=[CUT] * 9, knows_ranges=False) as served,
        pytest.raises(RequestException),
    ):
        download(served, tmp_path, attempts=3)

    assert len(served.asked) == 4
    assert not (tmp_path / "whole").exists()


def test_nothing_but_the_file_is_left(tmp_path: Path) -> None:
    with serving(CONTENT, cuts=[CUT]) as served:
        download(served, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(b"\n<!DOCTYPE html><p>Log in", "application/octet-stream"), (b"Hello", "text/html")],
)
def test_a_web_page_is_not_taken_for_weights(
    tmp_path: Path, content: bytes, content_type: str
) -> None:
    with (
        serving(content, content_type=content_type) as served,
        pytest.raises(OSError, match=r"gave a web page instead of weights.*log in first"),
    ):
        download(served, tmp_path)

    assert not (tmp_path / "whole").exists()


def test_a_disk_without_room_is_told_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))

    with serving(CONTENT) as served, pytest.raises(OSError, match=r"is full. Make room"):
        download(served, tmp_path)
    assert not (tmp_path / "part").exists()


def test_a_disk_that_fills_up_is_told(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "part").symlink_to(full)

    with serving(CONTENT) as served, pytest.raises(OSError, match=r"is full. Make room"):
        download(served, tmp_path)
