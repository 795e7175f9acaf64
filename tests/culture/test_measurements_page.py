"""The page that explains the columns, held against the table."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from samcell_live.culture.measurements import measure_cells
from samcell_live.culture.texture import GREY_LEVELS

PAGE = Path(__file__).parents[2] / "docs" / "measurements.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_every_column_is_explained_in_the_order_of_the_table(page: str) -> None:
    rows = re.findall(r"^\| (`.*?) \|", page, flags=re.MULTILINE)
    explained = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    labels = np.zeros((2, 2), dtype=np.int32)
    columns = measure_cells(labels, labels, texture=True).columns
    assert explained == list(columns)


def test_the_number_of_grey_levels_is_the_one_that_is_used(page: str) -> None:
    assert f"into {GREY_LEVELS} equal grey levels" in page


def test_the_example_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    exec(example, {})
    printed = capsys.readouterr().out
    assert "cell_count=2" in printed
    assert "neighbour_count" in printed
