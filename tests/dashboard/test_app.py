"""The whole application, as it goes over the wire."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dash import Dash
from samcell_dashboard.app import create_app
from samcell_dashboard.library import Library
from werkzeug.test import Client

HOST = "127.0.0.1:8050"
MAX_PAGE_BYTES = 900_000
"""Without pictures and history, compressed as browsers of today ask for it."""


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """A browser in front of an empty folder."""
    return Client(create_app(Library(tmp_path), hosts=[HOST]))


def scripts(page: str) -> list[str]:
    return re.findall(r'<script src="([^"]+)"', page)


def test_every_script_and_style_comes_from_this_server(client: Client) -> None:
    page = client.get("/", base_url=f"http://{HOST}", buffered=True).text

    found = scripts(page) + re.findall(r'<link[^>]+href="([^"]+)"', page)

    assert any("plotly-cartesian" in address for address in found)
    assert [address for address in found if not address.startswith("/")] == []


def test_a_run_has_an_address_of_its_own(client: Client) -> None:
    page = client.get("/run/0123456789ab", base_url=f"http://{HOST}", buffered=True)

    assert page.status_code == 200
    assert "start.js" in page.text


def test_the_page_weighs_less_than_a_megabyte(client: Client) -> None:
    addresses = ["/", "/_dash-layout", "/_dash-dependencies"]
    addresses += scripts(client.get("/", base_url=f"http://{HOST}", buffered=True).text)

    answers = [
        client.get(
            address,
            base_url=f"http://{HOST}",
            buffered=True,
            headers={"Accept-Encoding": "gzip, br, zstd"},
        )
        for address in addresses
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert sum(len(answer.data) for answer in answers) < MAX_PAGE_BYTES


def test_only_the_inline_script_that_dash_needs_may_run(client: Client) -> None:
    answer = client.get("/", base_url=f"http://{HOST}", buffered=True)

    inline = re.findall(r'type="application/javascript">(.*?)</script>', answer.text)
    digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()

    assert len(inline) == 1
    assert (
        f"script-src 'self' 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
    )


@pytest.mark.parametrize("token", [None, "secret"])
def test_guests_of_the_network_do_not_learn_where_runs_lie(
    tmp_path: Path, token: str | None
) -> None:
    client = Client(create_app(Library(tmp_path), hosts=[HOST], token=token))
    base = f"http://{HOST}"
    client.get("/", query_string={"token": token or ""}, base_url=base)

    folder = json.loads(client.get("/api/v1/runs", base_url=base).text)["folder"]

    assert folder == (tmp_path.name if token else str(tmp_path.resolve()))


def test_requests_that_come_together_at_the_start_all_get_a_whole_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_for_scripts: Callable[[Dash], None] = Dash._walk_assets_directory

    def look_slowly(app: Dash) -> None:
        time.sleep(0.3)
        look_for_scripts(app)

    monkeypatch.setattr(Dash, "_walk_assets_directory", look_slowly)
    application = create_app(Library(tmp_path), hosts=[HOST])
    together = threading.Barrier(4)

    def first_page(_: int) -> str:
        together.wait()
        return Client(application).get("/", base_url=f"http://{HOST}", buffered=True).text

    with ThreadPoolExecutor(4) as browsers:
        pages = list(browsers.map(first_page, range(4)))
    assert ["start.js" in page for page in pages] == [True] * 4
