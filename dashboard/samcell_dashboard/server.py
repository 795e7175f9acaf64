"""Serving the page on this computer, or on the lab's network behind a secret link."""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import waitress

from samcell_dashboard.app import create_app
from samcell_dashboard.library import Library
from samcell_dashboard.security import allowed_hosts, in_brackets, is_any_address

logger = logging.getLogger(__name__)

DEFAULT_PORT = 8050
THREADS = 8


def serve(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    lan: bool = False,
    when_ready: Callable[[str], None] | None = None,
) -> None:
    """Show the runs of a folder until the process is told to stop.

    Parameters
    ----------
    folder : Path
        A run store, or a folder that holds several.
    host : str
        Address to listen on; anything but this computer's own needs `lan`.
    port : int
        Port to listen on; 0 takes any that is free.
    lan : bool
        Listen on the network, and let in only who was given the link.
    when_ready : callable, optional
        Called with the page's link once the port is open.

    Raises
    ------
    NotADirectoryError
        If there is no such folder.
    ValueError
        If `host` is on the network, but `lan` was not asked for.
    OSError
        If the port is taken.
    """
    library = Library(folder)
    if lan and is_loopback(host):
        host = "0.0.0.0"
    if not lan and not is_loopback(host):
        raise ValueError(
            f"{host} can be reached from the network. Add --lan, which asks every browser "
            "for a secret, or leave --host away."
        )
    token = secrets.token_urlsafe(32) if lan else None
    listener = _listen(host, port)
    port = listener.getsockname()[1]
    own = _own_addresses() if lan else []
    hosts = allowed_hosts(host, port, own)
    app = create_app(library, hosts=hosts, token=token)
    server = waitress.create_server(app, sockets=[listener], threads=THREADS, ident="")
    link = link_to(host, port, own)
    logger.info("Serving %s at %s", library.folder, link)
    try:
        if when_ready is not None:
            when_ready(link + (f"?token={token}" if token else ""))
        server.run()
    finally:
        server.close()


def link_to(host: str, port: int, own_addresses: Sequence[str] = ()) -> str:
    """Address of the page, as a browser takes it.

    Examples
    --------
    >>> link_to("fe80::7", 8050)
    'http://[fe80::7]:8050/'
    >>> link_to("0.0.0.0", 8050, ["192.168.1.7", "scope-pc"])
    'http://192.168.1.7:8050/'
    """
    shown = own_addresses[0] if is_any_address(host) and own_addresses else host
    return f"http://{in_brackets(shown)}:{port}/"


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this computer only."""
    return host in ("127.0.0.1", "localhost", "::1")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # A server for all addresses is to be reached by the older kind (IPv4), too.
    both = is_any_address(host) and family == socket.AF_INET6
    both = both and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, dualstack_ipv6=both)
    except OSError as error:
        raise OSError(
            f"Port {port} of {host} cannot be opened ({error.strerror}); another dashboard "
            "may be using it. Choose another with --port, or --port 0 for any that is free."
        ) from error


def _own_addresses() -> list[str]:
    """Addresses by which other computers may know this one, the likeliest first."""
    name = socket.gethostname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: connecting only chooses the network interface.
            probe.connect(("192.0.2.1", 9))
            routed = [str(probe.getsockname()[0])]
        except OSError:
            routed = []
    return [*routed, name, f"{name}.local"]
