"""The dashboard beside a command."""

import os
import time
from pathlib import Path

import psutil
import pytest
from builders import acquired_run

from samcell_live.cli.page import Page


def shown(page: Page, store: Path) -> str:
    """What the page says of itself once it is there, or cannot be."""
    deadline = time.monotonic() + 60
    while (news := page.show(store)) is None:
        assert time.monotonic() < deadline, "the dashboard never answered"
        time.sleep(0.05)
    return news


@pytest.mark.skipif(os.name == "nt", reason="compares POSIX process groups")
def test_ctrl_c_and_files_of_the_users_folder_do_not_reach_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "samcell_dashboard.py").write_text("raise SystemExit('the wrong module')")
    acquired_run(tmp_path / "run")
    page = Page(0, open_browser=False)
    try:
        assert shown(page, tmp_path / "run") == f"Dashboard: {page.url}"
        (dashboard,) = psutil.Process().children()
        assert os.getpgid(dashboard.pid) != os.getpgid(0)
    finally:
        page.close()
    assert not dashboard.is_running()
