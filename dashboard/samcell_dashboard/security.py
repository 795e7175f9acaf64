"""What stands between the page and the rest of the lab's network."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any, TypeAlias
from urllib.parse import parse_qs, quote

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]
Wsgi: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

ENTRANCE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={path}">
<title>samcell_live</title>
<p><a href="{path}">Open the dashboard</a></p>
</html>
"""


class Guard:
    """Checks every request before the page sees it, and every answer's headers.

    Parameters
    ----------
    inner : WSGI application
        The page.
    hosts : sequence of str
        Names, with port, under which this server answers. A page of another name that
        was made to point here (DNS rebinding) gets nothing.
    script_hashes : sequence of str
        Inline scripts that may run, as quoted CSP hashes.
    token : str, optional
        Secret of the link that opens the page; None lets everyone in that reaches it.
    """

    def __init__(
        self,
        inner: Wsgi,
        *,
        hosts: Sequence[str],
        script_hashes: Sequence[str] = (),
        token: str | None = None,
    ) -> None:
        self._inner = inner
        self._hosts = {host.lower() for host in hosts}
        self._token = token
        self._headers = [
            ("Content-Security-Policy", _content_policy(script_hashes)),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
        ]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            return start_response(status, headers + self._headers, *error)

        refusal = self._refusal(environ)
        if refusal is not None:
            return _say(start, *refusal)
        if self._token is None:
            return self._inner(environ, start)
        if self._is_token(parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0]):
            return self._let_in(environ, start)
        if not self._is_token(_cookie(environ)):
            sentence = "Open the link that samcell-dashboard printed when it was started."
            return _say(start, "401 Unauthorized", sentence)
        return self._inner(environ, start)

    def _refusal(self, environ: Environ) -> tuple[str, str] | None:
        if environ.get("HTTP_HOST", "").lower() not in self._hosts:
            return "421 Misdirected Request", "This server does not answer to that name."
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return "405 Method Not Allowed", "This page can only be read."
        return None

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), (self._token or "").encode())

    def _let_in(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        """Move the token from the address, which gets copied about, to a cookie.

        The page goes on by itself. A redirect would not do: where the link is on another
        site, browsers count what it redirects to as that site's, and keep the cookie back.
        """
        name = cookie_name(environ["SERVER_PORT"])
        cookie = f"{name}={self._token}; HttpOnly; SameSite=Strict; Path=/"
        body = ENTRANCE.format(path=_local_path(environ)).encode()
        return _answer(start, "200 OK", "text/html", body, ("Set-Cookie", cookie))


def allowed_hosts(host: str, port: int, own_addresses: Iterable[str] = ()) -> list[str]:
    """Names under which a server bound to `host` may be addressed.

    Examples
    --------
    >>> allowed_hosts("192.168.1.7", 8050)[-1]
    '192.168.1.7:8050'
    """
    names = [*LOOPBACK, *own_addresses]
    if not is_any_address(host):
        names.append(in_brackets(host))
    ports = [f":{port}", ""] if port == 80 else [f":{port}"]
    return [name + ending for name in names for ending in ports]


def in_brackets(host: str) -> str:
    """Host as it stands in an address: IPv6 in brackets, all else as it is."""
    return f"[{host}]" if ":" in host else host


def is_any_address(host: str) -> bool:
    """Whether a server bound to `host` listens at every address of this computer."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _content_policy(script_hashes: Sequence[str]) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self'", *script_hashes]),
            "style-src 'self' 'unsafe-inline'",  # Plotly places its parts by style
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "font-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def cookie_name(port: str) -> str:
    """Name of the cookie; browsers keep those of all ports of a computer together."""
    return f"samcell_token_{port}"


def _cookie(environ: Environ) -> str:
    try:
        cookies = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    except CookieError:
        return ""
    name = cookie_name(environ["SERVER_PORT"])
    return cookies[name].value if name in cookies else ""


def _local_path(environ: Environ) -> str:
    """Path of this request; never another server, which ``//name`` would be."""
    return "/" + quote(environ.get("PATH_INFO", "/").lstrip("/\\"))


def _say(start: StartResponse, status: str, sentence: str) -> Iterable[bytes]:
    return _answer(start, status, "text/plain", sentence.encode())


def _answer(
    start: StartResponse, status: str, kind: str, body: bytes, *more: tuple[str, str]
) -> Iterable[bytes]:
    headers = [
        ("Content-Type", f"{kind}; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *more,
    ]
    start(status, headers)
    return [body]
