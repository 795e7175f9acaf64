"""The README does what it says: its code runs, its commands and links are there."""

from __future__ import annotations

import gc
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pymmcore_plus.experimental.unicore import UniMMCore
from typer.testing import CliRunner
from useq import MDAEvent, MDASequence

import samcell_live
from samcell_live.cli import app
from samcell_live.microscope.simulated import simulated_core
from samcell_live.settings import SimulatedMicroscope

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, page: str) -> list[str]:
    """Text of every code block in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, flags=re.M | re.S)


PAGES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs").glob("*.md"))
}
WITH_EXAMPLES = [name for name, page in PAGES.items() if blocks("python", page)]


def run(*examples: str, **given: object) -> None:
    """Execute the examples of a page, and let go of everything that they made."""
    for example in examples:
        exec(compile(example, "<example>", "exec"), given)
    given.clear()
    gc.collect()  # a microscope that is still there at exit may abort the interpreter


def commands(program: str) -> list[list[str]]:
    """Every call of a program in the shell blocks, in words."""
    lines = "\n".join(blocks("sh", README)).splitlines()
    return [shlex.split(line) for line in lines if line.startswith(f"{program} ")]


@pytest.mark.slow
def test_the_python_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mm_test_adapters", reason="the dev extra brings the demo camera")
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("python", README)
    run(example)
    assert capsys.readouterr().out == f"{Path('runs/dish.ome.zarr')} []\n"


@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_the_examples_of_the_other_pages_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"core": microscope_of_a_broken_run()} if page == "reliability" else {}
    run(*blocks("python", PAGES[page]), **given)


def microscope_of_a_broken_run() -> UniMMCore:
    """Acquire half of a run, as a script that was cancelled does."""
    core = simulated_core(SimulatedMicroscope(image_height_px=96, image_width_px=128))
    sequence = MDASequence(channels=["phase"], time_plan={"interval": 0.3, "loops": 4})

    def cancel(image: object, event: MDAEvent, metadata: object) -> None:
        if event.index["t"] == 1:
            core.mda.cancel()

    core.mda.events.frameReady.connect(cancel)
    with samcell_live.monitor(core, "runs/dish.ome.zarr"):
        core.run_mda(sequence, block=True)
    core.mda.events.frameReady.disconnect(cancel)
    return core


@pytest.mark.slow
def test_the_replay_example_runs(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for t in range(2):
        noise = np.random.default_rng(t).integers(90, 110, (64, 64), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "images" / f"{t}.png")
    (replay,) = [words for words in commands("samcell-live") if words[1] == "replay"]
    subprocess.run(
        [sys.executable, "-m", "samcell_live", *replay[1:]],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "runs" / "images.ome.zarr" / "zarr.json").is_file()


def test_every_command_is_listed_and_every_listed_command_is_there() -> None:
    table = README.split("## Commands")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", table, flags=re.M)
    there = [
        command.callback.__name__ for command in app.registered_commands if command.callback
    ]
    assert listed == there


def test_the_options_shown_are_options() -> None:
    shown = commands("samcell-live")
    assert len(shown) >= 3
    for _, command, *words in shown:
        told = CliRunner().invoke(app, [command, "--help"]).output
        assert [word for word in words if word.startswith("--") and word not in told] == []


def test_configurations_and_links_are_there() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    local = [link for link in links if not link.startswith("https://")]
    configurations = re.findall(r"acquisition_configs/\S+\.yaml", README)
    assert len(local) > 5
    assert configurations
    assert [path for path in local + configurations if not (ROOT / path).exists()] == []
