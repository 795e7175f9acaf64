"""The command ``samcell-dashboard``."""

from __future__ import annotations

import logging
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from samcell_dashboard.server import DEFAULT_PORT, serve

WRONG_USE = 2
MAX_PORT = 65_535

app = typer.Typer(add_completion=False)


@app.command()
def dashboard(
    folder: Annotated[
        Path, typer.Argument(help="A run store, or a folder that holds several.")
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=MAX_PORT, help="0 takes any free port.")
    ] = DEFAULT_PORT,
    *,
    browser: Annotated[bool, typer.Option(help="Open the page at once.")] = True,
    lan: Annotated[
        bool, typer.Option("--lan", help="Let the lab's network in, by a secret link.")
    ] = False,
) -> None:
    """Show runs in the browser, live and recorded."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")

    def show(link: str) -> None:
        typer.echo(f"Dashboard: {link}")
        if browser:
            webbrowser.open(link)

    try:
        serve(folder, host=host, port=port, lan=lan, when_ready=show)
    except (OSError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG_USE) from error


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
