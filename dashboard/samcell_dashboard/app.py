"""The Dash application: skeleton, assets and API, behind the guard."""

from __future__ import annotations

from collections.abc import Sequence

from dash import ClientsideFunction, Dash, Input, Output
from flask import Response
from flask_compress import Compress

from samcell_dashboard.api import Api
from samcell_dashboard.layout import page_layout
from samcell_dashboard.library import Library
from samcell_dashboard.security import Guard

COMPRESSED = ["text/html", "text/css", "application/json"]
COMPRESSED += ["text/javascript", "application/javascript"]  # 3.11 and 3.12 differ


def create_app(
    library: Library, *, hosts: Sequence[str], token: str | None = None
) -> Guard:
    """Make the page of a library.

    Parameters
    ----------
    library : Library
        The runs to show.
    hosts : sequence of str
        Names, with port, that the page may be addressed by; see `allowed_hosts`.
    token : str, optional
        Secret that a browser must have been given; None asks for none.

    Returns
    -------
    Guard
        A WSGI application.
    """
    app = Dash(
        "samcell_dashboard",
        title="samcell_live",
        update_title="",
        enable_mcp=False,
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "color-scheme", "content": "light dark"},
        ],
    )
    app.layout = page_layout()
    app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash leaves it untyped
        ClientsideFunction("samcell", "start"), Output("page", "title"), Input("page", "id")
    )
    # Guests of the network need not know where on this computer the runs lie.
    place = str(library.folder) if token is None else library.folder.name
    app.server.register_blueprint(Api(library, place).routes())
    app.server.config["COMPRESS_MIMETYPES"] = COMPRESSED
    Compress(app.server)
    app.server.after_request(_read_whole)  # added last, so it runs before compression
    # Dash sets itself up during its first request. A second one that comes meanwhile would
    # get a page without scripts, so the first is ours.
    app.server.test_client().get("/")
    return Guard(
        app.server.wsgi_app, hosts=hosts, script_hashes=app.csp_hashes(), token=token
    )


def _read_whole(answer: Response) -> Response:
    """Close a file before it is compressed: compressed as a stream, it would stay open."""
    answer.direct_passthrough = False
    answer.make_sequence()
    return answer
