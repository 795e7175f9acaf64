"""The command ``samcell-dashboard``, as a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path


def dashboard(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "samcell_dashboard", *arguments, "--no-browser"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_folder_that_is_not_there_is_wrong_use_in_one_sentence(tmp_path: Path) -> None:
    ended = dashboard(str(tmp_path / "nowhere"))

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "is not a folder. Give a run store" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_port_in_use_is_wrong_use_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = dashboard(str(tmp_path), "--port", str(port))

    assert ended.returncode == 2
    assert f"Port {port} of 127.0.0.1 cannot be opened" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_port_that_cannot_be_is_wrong_use(tmp_path: Path) -> None:
    ended = dashboard(str(tmp_path), "--port", "99999")

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "65535" in ended.stderr


def test_the_network_is_not_let_in_by_an_address_alone(tmp_path: Path) -> None:
    ended = dashboard(str(tmp_path), "--host", "0.0.0.0", "--port", "0")

    assert ended.returncode == 2
    assert "Add --lan" in ended.stderr


def test_the_dashboard_imports_neither_torch_nor_a_microscope() -> None:
    program = (
        "import sys, samcell_dashboard.__main__;"
        "heavy = {'torch', 'torchvision', 'pymmcore', 'pymmcore_plus', 'segment_anything'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
