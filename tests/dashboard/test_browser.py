"""The page in a real browser, while a run goes on."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import DESKTOP, PHONE, Show, fresh_pages, headless_chromium
from builders import results_of
from growing_run import Begin, GrowingRun
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Headless Chromium; to start it takes longer than most of the tests."""
    with headless_chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def show(chromium: Any) -> Iterator[Show]:
    """Open a page in headless Chromium."""
    with fresh_pages(chromium) as open_page:
        yield open_page


@contextmanager
def dashboard(folder: Path, *options: str) -> Iterator[str]:
    """Serve a folder by the real command, and give the link that it prints."""
    command = [sys.executable, "-m", "samcell_dashboard", str(folder), "--no-browser"]
    server = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().removeprefix("Dashboard: ").strip()
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


@contextmanager
def other_site(folder: Path) -> Iterator[str]:
    """Serve a folder under a name that browsers take for another site's."""
    pages = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def going_on(run: GrowingRun, timepoints: range) -> Iterator[None]:
    """Let the run go on in another thread, as fast as the disk takes it."""

    def go_on() -> None:
        for t in timepoints:
            run.scan(t, n_cells=t // 2 + 4, confluence=0.04 * (t + 1))
        run.end()

    thread = threading.Thread(target=go_on)
    thread.start()
    yield
    thread.join()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_numbers_change_while_the_run_goes_on_without_a_reload(
    begin: Begin, show: Show, size: tuple[int, int]
) -> None:
    run = begin(20, 3)
    run.scan(0, n_cells=4, confluence=0.04)
    with dashboard(run.path, "--port", "0") as link:
        page = show(link, size)
        page.until("#tile-confluence .value", lambda text: text == "4.0 %")
        page.until("#state", lambda text: text == "● Running")
        page.run("window.never_reloaded = true")

        with going_on(run, range(1, 20)):
            page.until("#tile-doubling .value", lambda text: text.endswith(" h"))
        page.until("#tile-confluence .value", lambda text: text == "80.0 %")
        page.until("#state", lambda text: text == "✓ Finished")
        page.until("#caption", lambda text: "frame 20 of 20" in text)

        assert page.run("return window.never_reloaded")
        assert "60" in page.text("#counts")
        assert page.run("return document.querySelectorAll('#chart .lines path').length")
        assert page.hosts() == {"127.0.0.1"}
        assert page.complaints() == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_outlines_are_switched_off_and_on_without_a_reload(
    begin: Begin, show: Show, size: tuple[int, int]
) -> None:
    run = begin(3)
    run.scan(0)
    with dashboard(run.path, "--port", "0") as link:
        page = show(link, size)
        page.until("#caption", lambda text: "5 cells" in text)
        outlines, button = page.find("#outlines"), page.find("#toggle-outlines")
        shown_at_first = outlines.is_displayed()

        button.click()
        shown_then = outlines.is_displayed()
        button.click()

        assert (shown_at_first, shown_then, outlines.is_displayed()) == (True, False, True)
        assert button.get_attribute("aria-pressed") == "true"
        assert page.run("return document.getElementById('outlines').naturalWidth") > 0


def test_another_position_and_an_earlier_time_can_be_looked_at(
    begin: Begin, show: Show
) -> None:
    run = begin(4, 2)
    for t in range(3):
        run.scan(t, n_cells=t + 2)
    with dashboard(run.path, "--port", "0") as link:
        page = show(link)
        page.until("#caption", lambda text: text.startswith("view 0 · 2.0 h"))

        page.find("#map button:nth-of-type(2)").click()
        page.until("#caption", lambda text: text.startswith("view 1 · 2.0 h"))
        page.run(
            "const slider = document.querySelector('#time input');"
            "slider.value = 0; slider.dispatchEvent(new Event('input'))"
        )
        page.until("#caption", lambda text: text.startswith("view 1 · 0.0 h"))
        run.scan(3, n_cells=9)
        page.until("#tile-confluence .value", lambda text: text == "9.0 %")

        assert page.text("#caption").startswith("view 1 · 0.0 h")
        page.find("#follow").click()
        page.until("#caption", lambda text: text.startswith("view 1 · 3.0 h"))


def test_a_phone_needs_no_sideways_scrolling_and_no_small_fingers(
    begin: Begin, show: Show
) -> None:
    run = begin(3, 4, name="a run with quite a long name that has to be wrapped somewhere")
    run.scan(0)
    run.acquire(1)
    run.fail(1, reason="RuntimeError: " + "a_very_long_word" * 8)
    with dashboard(run.path, "--port", "0") as link:
        page = show(link, PHONE)
        page.until("#caption", lambda text: "view 0" in text)

        small = page.run(
            "return [...document.querySelectorAll('button, summary, input')]"
            ".filter(e => e.offsetParent !== null)"
            ".map(e => [e.id || e.textContent, e.getBoundingClientRect().height])"
            ".filter(([, height]) => height < 43.9)"
        )

        assert small == []
        assert page.run("return document.documentElement.scrollWidth") == PHONE[0]


def test_a_run_without_frames_says_what_it_waits_for(begin: Begin, show: Show) -> None:
    run = begin()
    with dashboard(run.path, "--port", "0") as link:
        page = show(link)
        page.until("#state", lambda text: text == "◌ Waiting")

        assert page.text("#sentence") == "Waiting for the first of 12 frames."
        assert page.text("#tile-confluence .value") == "—"
        page.until("#no-frame", lambda text: text == "No frame of this position yet.")
        assert page.complaints() == []


def test_failures_are_listed_with_their_reasons(begin: Begin, show: Show) -> None:
    run = begin(12, 2)
    run.scan(0)
    run.acquire(1)
    run.fail(1, reason="RuntimeError: out of memory")
    with dashboard(run.path, "--port", "0") as link:
        page = show(link)

        page.until("#failures", lambda text: "RuntimeError: out of memory" in text)
        page.until("#flags", lambda text: "analysis failed" in text)
        page.until("#caption", lambda text: "analysis failed" in text)


def test_an_empty_folder_waits_and_then_lists_the_runs_that_come(
    begin: Begin, show: Show, tmp_path: Path
) -> None:
    with dashboard(tmp_path, "--port", "0") as link:
        page = show(link)
        page.until("#sentence", lambda text: text == f"Waiting for a run in {tmp_path}.")
        run = begin()
        run.scan(0)

        page.until("#run-list", lambda text: "1 of 12 frames" in text)
        page.find("#run-list a").click()
        page.until("#state", lambda text: text == "● Running")


def test_a_lost_server_is_said_and_a_new_one_is_taken_up(begin: Begin, show: Show) -> None:
    run = begin()
    run.scan(0)
    with dashboard(run.path, "--port", "0") as link:
        page = show(link)
        page.until("#tile-confluence .value", lambda text: text == "5.0 %")
        page.run("window.never_reloaded = true")
    page.until("#state", lambda text: text == "⚠ Connection lost")
    assert page.text("#tile-confluence .value") == "5.0 %"
    run.scan(1, n_cells=7)

    with dashboard(run.path, "--port", str(urlsplit(link).port)):
        page.until("#tile-confluence .value", lambda text: text == "7.0 %")
        page.until("#state", lambda text: text == "● Running")

    assert page.run("return window.never_reloaded")


def test_on_the_network_only_the_link_opens_the_page(begin: Begin, show: Show) -> None:
    run = begin()
    run.scan(0)
    with dashboard(run.path, "--lan", "--port", "0") as link:
        printed = urlsplit(link)
        here = f"http://127.0.0.1:{printed.port}/"

        assert "Open the link" in show(here).text("body")
        page = show(f"{here}?{printed.query}")
        page.until("#state", lambda text: text == "● Running")
        assert "token" not in page.driver.current_url
        assert page.run("return document.cookie") == ""


def test_the_link_works_from_another_site(begin: Begin, show: Show, tmp_path: Path) -> None:
    run = begin()
    run.scan(0)
    with dashboard(run.path, "--lan", "--port", "0") as link:
        printed = urlsplit(link)
        here = f"http://127.0.0.1:{printed.port}/?{printed.query}"
        mail = tmp_path / "mail.html"
        mail.write_text(f'<a href="{here}">Look at our cells</a>')
        with other_site(tmp_path) as elsewhere:
            page = show(f"{elsewhere}/mail.html")

            page.find("a").click()
            page.until("#state", lambda text: text == "● Running")

        assert "token" not in page.driver.current_url


def test_a_run_that_takes_the_place_of_the_shown_one_is_shown(
    begin: Begin, show: Show, tmp_path: Path
) -> None:
    old = begin()
    old.scan(0, n_cells=3)
    with dashboard(tmp_path, "--port", "0") as link:
        page = show(link)
        page.until("#caption", lambda text: "3 cells" in text)

        old.path.rename(tmp_path / ".away")
        begin().scan(0, n_cells=7)

        page.until("#caption", lambda text: "7 cells" in text)


def test_another_analysis_replaces_the_rows_and_the_outlines_of_the_first(
    begin: Begin, show: Show
) -> None:
    run = begin(3, analysis="first")
    run.scan(0, n_cells=3)
    run.acquire(1)
    run.fail(1)
    with dashboard(run.path, "--port", "0") as link:
        page = show(link)
        page.until("#failures", lambda text: "too dark" in text)
        page.find("#time input").send_keys(Keys.HOME)
        page.until("#caption", lambda text: "3 cells" in text)
        before = page.find("#outlines").get_attribute("src")

        other = replace(run, results=results_of(run.path, run.plan, "cells"))
        other.analyse(0, n_cells=7)
        other.analyse(1, n_cells=7)

        page.until("#caption", lambda text: "7 cells" in text)
        assert page.find("#outlines").get_attribute("src") != before
        assert not page.find("#failures-panel").is_displayed()


def test_a_damaged_run_says_why_in_the_list_and_on_its_page(
    begin: Begin, show: Show, tmp_path: Path
) -> None:
    begin(name="good").scan(0)
    (begin(name="half").path / "samcell" / "frames" / "rank" / "zarr.json").unlink()
    with dashboard(tmp_path, "--port", "0") as link:
        page = show(link)
        page.until("#run-list", lambda text: "half.ome.zarr cannot be read" in text)

        page.find("#run-list li:last-child a").click()

        page.until("#sentence", lambda text: "half.ome.zarr cannot be read" in text)
        assert page.text("#state") == "✕ Failed"


def test_a_click_on_the_chart_goes_to_that_time(begin: Begin, show: Show) -> None:
    run = begin(6)
    for t in range(6):
        run.scan(t, n_cells=t + 2)
    with dashboard(run.path, "--port", "0") as link:
        page = show(link)
        page.until("#caption", lambda text: "frame 6 of 6" in text)
        plot = page.find("#chart .nsewdrag")
        left_edge = -plot.size["width"] // 2 + 2

        ActionChains(page.driver).move_to_element_with_offset(plot, left_edge, 0).pause(
            0.3
        ).click().perform()

        page.until("#caption", lambda text: "frame 1 of 6" in text)


def test_light_and_dark_are_a_click_apart_and_remembered(begin: Begin, show: Show) -> None:
    run = begin(3)
    run.scan(0)
    run.scan(1)
    with dashboard(run.path, "--port", "0") as link:
        page = show(link)
        page.until("#state", lambda text: text == "● Running")
        background = "return getComputedStyle(document.body).backgroundColor"
        colours = {page.run(background)}

        page.find("#theme").click()
        colours.add(page.run(background))
        chosen = page.run(background)
        page.driver.refresh()
        page.until("#state", lambda text: text == "● Running")

        assert colours == {"rgb(246, 247, 249)", "rgb(18, 22, 28)"}
        assert page.run(background) == chosen
