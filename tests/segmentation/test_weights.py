"""Weights are found by name or path, and fetched once over the network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from samcell_live.segmentation.weights import PublishedWeights, fetch, find_weights


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and remembers what was asked for."""

    asked: list[str] = []  # noqa: RUF012  # one server at a time

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        self.asked.append(str(args[0]))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Address of a loopback server with one small file of weights."""
    served = tmp_path / "served"
    served.mkdir()
    (served / "small.pt").write_bytes(b"weights")
    Quiet.asked.clear()
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=served)
    ) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def test_weights_are_fetched_once_and_their_terms_are_said(
    server: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    published = PublishedWeights(f"{server}/small.pt", "Not for sale.")

    first = fetch(published, tmp_path / "cache")
    again = fetch(published, tmp_path / "cache")

    assert first == again
    assert first.read_bytes() == b"weights"
    assert len(Quiet.asked) == 1
    assert "Not for sale." in caplog.text


def test_fetched_weights_that_changed_are_refused(server: str, tmp_path: Path) -> None:
    published = PublishedWeights(f"{server}/small.pt", "")
    path = fetch(published, tmp_path / "cache")
    path.write_bytes(b"tampered")

    with pytest.raises(ValueError, match=r"small\.pt has changed since it was fetched"):
        fetch(published, tmp_path / "cache")


def test_a_download_that_was_cut_off_is_made_again(server: str, tmp_path: Path) -> None:
    published = PublishedWeights(f"{server}/small.pt", "")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "small.pt").write_bytes(b"weig")

    assert fetch(published, tmp_path / "cache").read_bytes() == b"weights"


def test_a_file_that_is_not_offered_says_what_to_do(server: str, tmp_path: Path) -> None:
    published = PublishedWeights(f"{server}/gone.pt", "")

    with pytest.raises(
        OSError, match=r"gone\.pt could not be fetched .*404.*give its path"
    ):
        fetch(published, tmp_path / "cache")


def test_no_network_says_what_to_do(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as closed:
        port = closed.server_port

    with pytest.raises(OSError, match=r"could not be fetched"):
        fetch(PublishedWeights(f"http://127.0.0.1:{port}/small.pt", ""), tmp_path)


def test_a_path_is_a_model(tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    path.write_bytes(b"")

    assert find_weights(str(path)) == path


def test_an_unknown_model_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"'startr' is neither .* starter, samcell-generalist"
    ):
        find_weights("startr")


def test_the_starter_is_in_the_package_and_small() -> None:
    path = find_weights("starter")

    assert path.parent.name == "models"
    assert 0 < path.stat().st_size <= 8_000_000
