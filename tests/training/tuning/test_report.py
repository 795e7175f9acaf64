"""What a search leaves on disk and on the screen."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from command_line import command
from segmenters import CENTRES, blobs

from samcell_live.training.thresholds import Thresholds
from samcell_live.training.tuning.grid import Grid
from samcell_live.training.tuning.heat_map import heat_map
from samcell_live.training.tuning.report import write_tuning
from samcell_live.training.tuning.search import Tuning
from samcell_live.training.tuning.surface import Surface, average

GRID = Grid((0.4, 0.5, 0.6), (0.1, 0.2, 0.5))
OWN = Thresholds(0.47, 0.09, 0.6)


def surface(name: str) -> Surface:
    scores = np.array([[0.5, 0.6, np.nan], [0.7, 0.8, 0.1], [0.6, 0.7, 0.2]])
    return Surface(name, GRID, scores, scores, OWN)


@pytest.fixture
def tuning() -> Tuning:
    surfaces = (surface("phase <contrast>"), surface("fluorescence"))
    return Tuning(surfaces, average(surfaces))


def test_the_table_has_a_line_for_each_pair_of_each_data_set(
    tmp_path: Path, tuning: Tuning
) -> None:
    table = pd.read_csv(write_tuning(tmp_path, tuning, "starter").table)

    assert len(table) == 3 * 8
    assert table.notna().all(axis=None)
    assert table.query("peak == 0.5 and fill == 0.2")["op_csb"].tolist() == [0.8] * 3


def test_the_summary_says_the_best_and_how_flat(tmp_path: Path, tuning: Tuning) -> None:
    files = write_tuning(tmp_path, tuning, "starter")

    summary = json.loads(files.summary.read_text())
    assert (summary["peak_threshold"], summary["fill_threshold"]) == (0.5, 0.2)
    near = summary["data_sets"][0]["plateaus"][1]
    assert near == {
        "within": 0.01,
        "peaks": [0.5, 0.5],
        "fills": [0.2, 0.2],
        "share": 0.125,
    }


def test_the_page_names_every_data_set_and_how_to_use_the_best(
    tmp_path: Path, tuning: Tuning
) -> None:
    page = write_tuning(tmp_path, tuning, "starter").page.read_text()

    assert "phase &lt;contrast&gt;" in page
    assert page.count("<svg") == 3
    assert "--peak 0.5 --fill 0.2" in page
    assert "http" not in page


def test_one_data_set_is_not_shown_twice(tmp_path: Path) -> None:
    one = surface("dishes")

    page = write_tuning(
        tmp_path, Tuning((one,), average([one])), "starter"
    ).page.read_text()

    assert page.count("<svg") == 1


def test_the_heat_map_is_drawn_with_the_best_and_the_own_pair() -> None:
    svg = ElementTree.fromstring(heat_map(surface("dishes")))

    titles = [title.text for title in svg.iter("title")]
    assert titles == [
        "best: peak 0.5, fill 0.2, OP_CSB 0.800",
        "model's own: peak 0.47, fill 0.09, OP_CSB 0.600",
    ]


def test_the_command_searches_and_says_how_to_use_what_it_found(tmp_path: Path) -> None:
    folder = tmp_path / "dish"
    folder.mkdir()
    labels = np.zeros((90, 150), np.uint8)
    for number, (y, x) in enumerate(CENTRES, start=1):
        cv2.circle(labels, (x, y), 7, number, -1)
    cv2.imwrite(str(folder / "1.png"), blobs(CENTRES))
    cv2.imwrite(str(folder / "1_mask.png"), labels)

    result = command(
        "tune",
        folder,
        "--model",
        "starter",
        "--out",
        tmp_path / "out",
        "--step",
        0.1,
        "--json",
    )

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["fill_threshold"] <= found["peak_threshold"]
    assert f"--peak {found['peak_threshold']:g}" in result.stdout.replace("\n", " ")
    assert (tmp_path / "out" / "index.html").is_file()
    assert len(list((tmp_path / "out" / "maps").iterdir())) == 1


def test_a_folder_without_labels_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    result = command("tune", tmp_path, "--model", "starter", "--out", tmp_path / "out")

    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()
