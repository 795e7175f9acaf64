"""A headless browser, and what a reader sees and does in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_S = 30
QUIET = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = (1440, 900), (390, 844)

Show: TypeAlias = Callable[..., "Browser"]


class Browser:
    """A page, and what a reader sees and does on it."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def text(self, selector: str) -> str:
        """What is written there now, styled or not."""
        script = "return document.querySelector(arguments[0])?.textContent ?? ''"
        return str(self.driver.execute_script(script, selector))

    def until(self, selector: str, wanted: Callable[[str], bool]) -> str:
        """Wait until the text is as wanted."""
        wait = WebDriverWait(self.driver, PATIENCE_S, poll_frequency=0.1)
        try:
            wait.until(lambda _: wanted(self.text(selector)))
        except TimeoutException as error:
            error.msg = f"{selector} stays at {self.text(selector)!r}; {self.complaints()}"
            raise
        return self.text(selector)

    def find(self, selector: str) -> WebElement:
        """One element."""
        found: WebElement = self.driver.find_element(By.CSS_SELECTOR, selector)
        return found

    def run(self, script: str) -> Any:
        """Ask the page itself."""
        return self.driver.execute_script(script)

    def complaints(self) -> list[str]:
        """Warnings and errors of the console so far."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def hosts(self) -> set[str]:
        """Computers that the page asked for anything."""
        events = [
            json.loads(entry["message"])["message"]
            for entry in self.driver.get_log("performance")
        ]
        urls = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return {urlsplit(url).hostname or "" for url in urls if url.startswith("http")}


@contextmanager
def headless_chromium(folder: Path) -> Iterator[Any]:
    """Start one browser, with its profile in a folder, and give its driver."""
    chromium, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver_path is None:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in QUIET:
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={folder}")
    options.set_capability(
        "goog:loggingPrefs", {"browser": "WARNING", "performance": "ALL"}
    )
    driver = webdriver.Chrome(options=options, service=Service(driver_path))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def fresh_pages(driver: Any) -> Iterator[Show]:
    """Open pages in a browser that knows nothing of those before, and close them."""
    empty = driver.current_window_handle

    def open_page(link: str, size: tuple[int, int] = DESKTOP) -> Browser:
        driver.switch_to.new_window("tab")
        _forget_everything(driver, link)
        width, height = size
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {
                "width": width,
                "height": height,
                "deviceScaleFactor": 1,
                "mobile": size == PHONE,
            },
        )
        driver.get(link)
        return Browser(driver)

    try:
        yield open_page
    finally:
        for window in driver.window_handles:
            if window != empty:
                driver.switch_to.window(window)
                driver.close()
        driver.switch_to.window(empty)


def _forget_everything(driver: Any, link: str) -> None:
    """Empty what a page could find of one that was served at its address before."""
    address = urlsplit(link)
    origin = f"{address.scheme}://{address.netloc}"
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    driver.execute_cdp_cmd(
        "Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"}
    )
    for log in ("browser", "performance"):
        driver.get_log(log)  # empties it
