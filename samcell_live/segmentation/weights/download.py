"""Download a large file over a poor network: broken off, it goes on where it was."""

from __future__ import annotations

import errno
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import requests
from requests.exceptions import ChunkedEncodingError, RequestException

logger = logging.getLogger(__name__)

Progress: TypeAlias = Callable[[int, int | None], None]
"""Told of the bytes that are there and of all, or None where the server does not say."""

CHUNK_BYTES = 1 << 16
"""At most this much is lost when a connection breaks."""
CONNECT_S, SILENCE_S = 10, 60


@dataclass(frozen=True, slots=True)
class ResumingDownloader:
    """Downloads for `pooch.retrieve`, by way of a partial file that outlives a break.

    A partial file is continued by an HTTP Range request, on condition that the file is
    still the same (If-Range, RFC 9110 section 13.1.5). It is begun again where the server
    knows no ranges, names no version of the file, or has another file by now.
    """

    partial: Path
    on_progress: Progress
    attempts: int = 5
    """A connection that brings nothing this many times in a row is given up."""
    pause_s: float = 1.0
    """Before the first new attempt; doubled for each one that brings nothing."""

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        """Download a file; its name and arguments are those that pooch gives.

        Raises
        ------
        OSError
            If it cannot be fetched (`requests` has subclasses of it), or the disk is full.
        """
        furthest = before = self._size()
        fruitless = 0
        while True:
            try:
                self._continue(url)
                break
            except RequestException as error:
                reached = self._size()
                fruitless = 0 if reached > furthest else fruitless + 1
                furthest = max(furthest, reached)
                if furthest == before or fruitless == self.attempts:
                    raise  # no network, or none any more
                logger.info("The download of %s broke off (%s)", url, error)
                time.sleep(self.pause_s * 2**fruitless)
        self.partial.replace(output_file)
        self._version.unlink(missing_ok=True)

    def _continue(self, url: str) -> None:
        start, version = self._size(), self._known_version()
        headers = {"Accept-Encoding": "identity"}  # ranges count the bytes of the file
        resumes = start > 0 and version is not None
        if resumes:
            headers |= {"Range": f"bytes={start}-", "If-Range": str(version)}
        timeout = (CONNECT_S, SILENCE_S)
        with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
            if resumes and not _fits(response, start):
                self.partial.unlink()
                self._continue(url)
                return
            response.raise_for_status()
            self._receive(response, start if response.status_code == 206 else 0)

    def _receive(self, response: requests.Response, start: int) -> None:
        """Write what comes; `start` bytes of the file are there already."""
        length = response.headers.get("Content-Length")
        rest = None if length is None else int(length)
        if rest is not None and shutil.disk_usage(self.partial.parent).free < rest:
            raise self._full()
        self._remember_version(response)
        try:
            self._write(response, start, None if rest is None else start + rest)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise self._full() from error

    def _write(self, response: requests.Response, done: int, total: int | None) -> None:
        self.on_progress(done, total)
        with self.partial.open("ab" if done else "wb") as file:
            for chunk in response.iter_content(CHUNK_BYTES):
                if done == 0:
                    _refuse_web_page(response, chunk)
                file.write(chunk)
                done += len(chunk)
                self.on_progress(done, total)
        if total is not None and done != total:
            raise ChunkedEncodingError(f"{done} of {total} bytes came")

    def _full(self) -> OSError:
        return OSError(
            f"the disk with {self.partial.parent} is full. Make room, and the download "
            "goes on where it was"
        )

    def _size(self) -> int:
        return self.partial.stat().st_size if self.partial.exists() else 0

    @property
    def _version(self) -> Path:
        return self.partial.with_name(f"{self.partial.name}.version")

    def _known_version(self) -> str | None:
        return self._version.read_text("utf-8") if self._version.exists() else None

    def _remember_version(self, response: requests.Response) -> None:
        """Keep by what the server tells this file from a later one."""
        tag = response.headers.get("ETag", "")
        if tag.startswith("W/"):  # a weak tag does not promise the same bytes
            tag = ""
        version = tag or response.headers.get("Last-Modified")
        if version is None:
            self._version.unlink(missing_ok=True)
        else:
            self._version.write_text(version, encoding="utf-8")


def _fits(response: requests.Response, start: int) -> bool:
    """Whether this answers the question for a file's rest, or gives the whole file."""
    if response.status_code == 206:
        return response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
    return response.status_code != 416


def _refuse_web_page(response: requests.Response, beginning: bytes) -> None:
    page = beginning.lstrip().lower().startswith((b"<!doctype", b"<html"))
    if page or response.headers.get("Content-Type", "").startswith("text/html"):
        raise OSError(
            f"{response.url} gave a web page instead of weights. If this network asks for "
            "a login in the browser, log in first; otherwise check the address"
        )
