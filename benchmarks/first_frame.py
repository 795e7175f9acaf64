"""How long a newcomer waits: from the start of the demo to the first cells on the page.

    python benchmarks/first_frame.py

Starts ``samcell-live demo``, opens its page in headless Chromium as soon as it answers, and
prints when the first frame and the first confluence were seen there.
"""

from __future__ import annotations

import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from selenium import webdriver

GIVE_UP_S = 120.0
FRAME_IS_SHOWN = "return (document.querySelector('#frame')?.naturalWidth ?? 0) > 0"
CONFLUENCE = "return document.querySelector('#tile-confluence')?.textContent ?? ''"


def main() -> None:
    """Measure and print."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        started_s = time.monotonic()
        command = [sys.executable, "-m", "samcell_live", "demo", "--no-browser"]
        command += ["--port", str(port), "--store", str(Path(folder) / "demo.ome.zarr")]
        demo = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            watch(f"http://127.0.0.1:{port}/", started_s)
        finally:
            demo.send_signal(signal.SIGINT)
            time.sleep(0.2)
            demo.send_signal(signal.SIGINT)
            demo.wait()


def watch(url: str, started_s: float) -> None:
    """Look at the page until it shows cells."""

    def wait_for(what: str, condition: Callable[[], object]) -> None:
        while not condition():
            if time.monotonic() - started_s > GIVE_UP_S:
                raise SystemExit(f"{what}: not within {GIVE_UP_S:.0f} s")
            time.sleep(0.05)
        print(f"{what}: {time.monotonic() - started_s:.1f} s")

    print(f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    wait_for("page answers", lambda: answers(url))
    browser: Any = chromium()
    try:
        browser.get(url)
        wait_for("first frame on the page", lambda: browser.execute_script(FRAME_IS_SHOWN))
        wait_for("first confluence", lambda: "%" in browser.execute_script(CONFLUENCE))
    finally:
        browser.quit()


def answers(url: str) -> bool:
    """Whether the dashboard serves already."""
    try:
        with urlopen(url, timeout=1) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False


def chromium() -> webdriver.Chrome:
    """Open a browser without a window."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-background-networking"):
        options.add_argument(argument)
    return webdriver.Chrome(options)


if __name__ == "__main__":
    main()
