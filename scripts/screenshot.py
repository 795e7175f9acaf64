"""Photograph the dashboard of the demo for the README.

Runs ``samcell-live demo`` and writes ``docs/images/dashboard.png`` (1440 px wide, light)
and ``docs/images/dashboard_phone.png``. Needs chromium, chromedriver and the ``dev`` extra:

    python scripts/screenshot.py
"""

from __future__ import annotations

import io
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

IMAGES = Path(__file__).parents[1] / "docs" / "images"
PATIENCE_S = 300
MEDIAN_CONFLUENCE = 0.6
"""The moment to photograph: growth is seen, and the forecast still lies ahead."""
COLOURS = 256
"""A palette keeps each picture below 400 kB."""

Driver = Any


def main() -> None:
    """Photograph the page on a desktop and on a phone at the same moment."""
    with tempfile.TemporaryDirectory() as folder, demo(Path(folder)) as link:
        wait_for_growth(link)
        with browser(1440, 900) as desktop, browser(390, 1400) as phone:
            for driver in (desktop, phone):
                driver.get(link)
            for driver in (desktop, phone):
                wait_until_drawn(driver)
            photograph(desktop, IMAGES / "dashboard.png", whole=True)
            photograph(phone, IMAGES / "dashboard_phone.png", whole=False)


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """Run the demo, and give the link of its dashboard."""
    port = free_port()
    samcell_live = Path(sys.executable).with_name("samcell-live")
    command = [str(samcell_live), "demo", "--no-browser", "--port", str(port)]
    command += ["--store", str(folder / "demo.ome.zarr")]
    process = subprocess.Popen(command)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """Port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def wait_for_growth(link: str) -> None:
    """Wait until the culture is as far as it shall be seen."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if confluence(link) >= MEDIAN_CONFLUENCE:
            return
        time.sleep(1)
    sys.exit(f"After {PATIENCE_S} s the demo at {link} had not grown to "
             f"{MEDIAN_CONFLUENCE:.0%}. Run samcell-live demo to see why.")  # fmt: skip


def confluence(link: str) -> float:
    """Latest median; 0 before the dashboard answers or knows one."""
    try:
        with urllib.request.urlopen(f"{link}api/v1/runs") as answer:
            (run,) = json.load(answer)["runs"]
        with urllib.request.urlopen(f"{link}api/v1/runs/{run['id']}/updates") as answer:
            tiles = json.load(answer)["tiles"]
    except (OSError, ValueError):
        return 0.0
    text = tiles[0]["value"].removesuffix(" %")
    return float(text) / 100 if text.replace(".", "").isdecimal() else 0.0


@contextmanager
def browser(width_px: int, height_px: int) -> Iterator[Driver]:
    """Headless Chromium with a screen of this size, in light colours."""
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
    ):
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.Chrome(
        options=options, service=Service(shutil.which("chromedriver"))
    )
    light = {"features": [{"name": "prefers-color-scheme", "value": "light"}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", light)
    resize(driver, width_px, height_px)
    try:
        yield driver
    finally:
        driver.quit()


def resize(driver: Driver, width_px: int, height_px: int) -> None:
    """Give the page another screen."""
    screen = {"width": width_px, "height": height_px, "deviceScaleFactor": 1}
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", screen | {"mobile": width_px < 500}
    )


def wait_until_drawn(driver: Driver) -> None:
    """Wait for the chart's lines and the image."""
    drawn = (
        "return document.querySelectorAll('#chart .lines path').length > 0"
        " && document.getElementById('outlines').naturalWidth > 0"
    )
    WebDriverWait(driver, PATIENCE_S).until(lambda page: page.execute_script(drawn))


def photograph(driver: Driver, path: Path, *, whole: bool) -> None:
    """Write the page, or what of it fits the screen, as a small PNG."""
    if whole:
        size = "return [innerWidth, document.documentElement.scrollHeight]"
        resize(driver, *driver.execute_script(size))
        WebDriverWait(driver, PATIENCE_S).until(
            lambda page: page.execute_script("return innerHeight") > 900
        )
        wait_until_drawn(driver)
    picture = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(COLOURS, kmeans=1).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
