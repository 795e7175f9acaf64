"""What the guard lets through, and what not."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from samcell_dashboard.security import COOKIE, Environ, Guard, StartResponse, allowed_hosts
from werkzeug.test import Client, TestResponse

HOSTS = allowed_hosts("127.0.0.1", 8050)
HERE = "http://127.0.0.1:8050"
TOKEN = "a-long-secret"


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

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/run/abc"
    cookie = answer.headers["Set-Cookie"]
    assert cookie == f"{COOKIE}={TOKEN}; HttpOnly; SameSite=Strict; Path=/"
    assert get("/", token=TOKEN, cookie=TOKEN).text == "hello"


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "/%0d%0aX: y"])
def test_the_link_never_leads_to_another_server(path: str) -> None:
    location = get(f"{path}?token={TOKEN}", token=TOKEN).headers["Location"]

    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert "\n" not in location


def test_a_server_for_all_addresses_answers_only_to_its_own_names() -> None:
    hosts = allowed_hosts("0.0.0.0", 8050, ["192.168.1.7", "scope-pc"])

    assert "192.168.1.7:8050" in hosts
    assert "0.0.0.0:8050" not in hosts
