"""How long a newcomer waits: from the start of the demo to the first cells on the page.

    python benchmarks/first_frame.py

Starts ``samcell-live demo``, opens its page in headless Chromium as soon as it answers, and
prints when the first frame and the first confluence were seen there.
"""

from __future__ import annotations

import os
import platform
import shutil
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

import psutil
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

GIVE_UP_S = 120.0
END_S = 60.0
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
        demo = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            watch(f"http://127.0.0.1:{port}/", started_s)
        finally:
            end(demo)


def end(demo: psutil.Popen) -> None:
    """End the demo with its dashboard and worker, so that nothing writes any more."""
    family = [demo, *demo.children(recursive=True)]
    demo.terminate()  # asks, as Ctrl-C does; what was acquired is still analysed
    _, alive = psutil.wait_procs(family, timeout=END_S)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive)


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
    driver = shutil.which("chromedriver")
    if driver is None:  # selenium would look for one on the internet
        raise SystemExit("There is no chromedriver on the PATH; install chromium-driver.")
    return webdriver.Chrome(options, Service(driver))


if __name__ == "__main__":
    main()
