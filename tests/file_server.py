"""A web server on this computer whose faults a test can choose."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Served:
    """One file, under every address that ends in its name."""

    content: bytes
    name: str = "small.pt"
    version: str | None = '"one"'
    """Its ETag; None: the server names no version."""
    knows_ranges: bool = True
    content_type: str = "application/octet-stream"
    cuts: list[int] = field(default_factory=list)
    """Bytes after which the next answers break off, one each."""
    statuses: list[int] = field(default_factory=list)
    """Errors that come in place of the next answers."""
    hold_s: float = 0
    """Wait between the head of an answer and its body."""
    asked: list[str | None] = field(default_factory=list)
    """The Range header of each request."""
    address: str = ""


class _Handler(BaseHTTPRequestHandler):
    served: Served

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        served, asked = self.served, self.headers.get("Range")
        served.asked.append(asked)
        if served.statuses:
            self.send_error(served.statuses.pop(0))
        elif not self.path.endswith(served.name):
            self.send_error(404)
        else:
            self._answer(served, self._start(served, asked))

    def _start(self, served: Served, asked: str | None) -> int:
        same = self.headers.get("If-Range") == served.version
        if asked is None or not served.knows_ranges or not same:
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _answer(self, served: Served, start: int) -> None:
        body, size = served.content[start:], len(served.content)
        if start and not body:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if served.version is not None:
            self.send_header("ETag", served.version)
        self.send_header("Content-Type", served.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        time.sleep(served.hold_s)
        self.wfile.write(body[: served.cuts.pop(0)] if served.cuts else body)


@contextmanager
def serving(content: bytes, **faults: Any) -> Iterator[Served]:
    """Offer a file on the loopback address for as long as the block lasts."""
    served = Served(content, **faults)
    handler = type("Handler", (_Handler,), {"served": served})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        served.address = f"http://127.0.0.1:{server.server_port}/{served.name}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
