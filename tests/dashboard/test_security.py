"""What the guard lets through, and what not."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from samcell_dashboard.security import (
    Environ,
    Guard,
    StartResponse,
    allowed_hosts,
    cookie_name,
)
from werkzeug.test import Client, TestResponse

HOSTS = allowed_hosts("127.0.0.1", 8050)
HERE = "http://127.0.0.1:8050"
TOKEN = "a-long-secret"
COOKIE = cookie_name("8050")


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Stand for the page."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def get(address: str, *, token: str | None = None, cookie: str = "") -> TestResponse:
    guard = Guard(hello, hosts=HOSTS, script_hashes=["'sha256-abc'"], token=token)
    headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
    return Client(guard, use_cookies=False).get(address, base_url=HERE, headers=headers)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8050", "localhost:8050", "LOCALHOST:8050", "[::1]:8050"]
)
def test_this_computer_may_be_called_by_its_own_names(host: str) -> None:
    answer = Client(Guard(hello, hosts=HOSTS)).get("/", headers={"Host": host})

    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["evil.example:8050", "127.0.0.1", "127.0.0.1:80", ""])
def test_another_name_that_leads_here_gets_nothing(host: str) -> None:
    answer = Client(Guard(hello, hosts=HOSTS)).get("/", headers={"Host": host})

    assert answer.status_code == 421
    assert "hello" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_the_page_can_only_be_read(method: str) -> None:
    answer = Client(Guard(hello, hosts=HOSTS)).open("/", method=method, base_url=HERE)

    assert answer.status_code == 405


@pytest.mark.parametrize("address", ["/", "/nowhere"])
@pytest.mark.parametrize("token", [None, TOKEN])
def test_every_answer_carries_the_headers_that_keep_others_out(
    address: str, token: str | None
) -> None:
    headers = get(address, token=token).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self' 'sha256-abc'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not [rule for rule in policy if "script" in rule and "unsafe" in rule]


def test_without_the_link_the_network_is_kept_out() -> None:
    answer = get("/api/v1/runs", token=TOKEN)

    assert answer.status_code == 401
    assert "Open the link" in answer.text


@pytest.mark.parametrize("wrong", ["", "a-long-secre", "a-long-secret2", "é"])
def test_a_wrong_token_is_no_token(wrong: str) -> None:
    assert get(f"/?token={wrong}", token=TOKEN).status_code == 401
    assert get("/", token=TOKEN, cookie=wrong).status_code == 401


def test_the_link_becomes_a_cookie_that_scripts_and_other_sites_cannot_use() -> None:
    answer = get(f"/run/abc?token={TOKEN}", token=TOKEN)

    cookie = answer.headers["Set-Cookie"]
    assert cookie == f"{COOKIE}={TOKEN}; HttpOnly; SameSite=Strict; Path=/"
    assert get("/", token=TOKEN, cookie=TOKEN).text == "hello"


def test_the_link_goes_on_by_itself_for_a_redirect_would_lose_the_cookie() -> None:
    answer = get(f"/run/abc?token={TOKEN}", token=TOKEN)

    assert answer.status_code == 200
    assert next_address(answer) == "/run/abc"
    assert TOKEN not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_two_dashboards_of_one_computer_keep_two_cookies() -> None:
    guard = Guard(hello, hosts=["scope-pc:1", "scope-pc:2"], token=TOKEN)

    names = {
        Client(guard, use_cookies=False)
        .get(f"/?token={TOKEN}", base_url=f"http://scope-pc:{port}")
        .headers["Set-Cookie"]
        .partition("=")[0]
        for port in (1, 2)
    }

    assert len(names) == 2


def next_address(answer: TestResponse) -> str:
    found = re.search(r'content="0; url=([^"]*)"', answer.text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "/%0d%0aX: y", '/"><script>']
)
def test_the_link_never_leads_to_another_server_or_out_of_its_attribute(path: str) -> None:
    address = next_address(get(f"{path}?token={TOKEN}", token=TOKEN))

    assert address.startswith("/")
    assert not address.startswith(("//", "/\\"))
    assert not set(address) & set("\n<>;")


def test_a_server_for_all_addresses_answers_only_to_its_own_names() -> None:
    hosts = allowed_hosts("0.0.0.0", 8050, ["192.168.1.7", "scope-pc"])

    assert "192.168.1.7:8050" in hosts
    assert "0.0.0.0:8050" not in hosts


def test_an_address_of_the_newer_kind_stands_in_brackets() -> None:
    assert "[fe80::7]:8050" in allowed_hosts("fe80::7", 8050)
    assert "[::]:8050" not in allowed_hosts("::", 8050)
