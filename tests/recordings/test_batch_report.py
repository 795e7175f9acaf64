"""The account of a batch says the same in every form."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from builders import MAKING, frame, segmentation, squares

from samcell_live.recordings import batch_report
from samcell_live.recordings.batch_report import BatchReport, write_report
from samcell_live.recordings.image_results import (
    FailedImage,
    FoundCells,
    ImageTask,
    Outputs,
    SegmentedImage,
    measure_image,
    write_image_results,
)


def result(folder: Path, name: str, n_cells: int) -> SegmentedImage:
    """Results of an image with so many squares."""
    outputs = Outputs(folder, overlay=False)
    task = ImageTask(Path(f"{name}.tif"), Path(name))
    found = FoundCells(task, frame(), segmentation(n_cells))
    return write_image_results(outputs, measure_image(outputs, found))


@pytest.fixture
def report(tmp_path: Path) -> BatchReport:
    """Three cells, none, a failure, and an image that was not begun."""
    failed = FailedImage(ImageTask(Path("c.tif"), Path("c")), "c.tif is \x00 broken")
    return BatchReport(
        (result(tmp_path, "001", 3), result(tmp_path, "b", 0), failed),
        (Path("d.tif"),),
        MAKING,
    )


def test_the_summary_has_a_line_for_every_image_that_was_begun(
    tmp_path: Path, report: BatchReport
) -> None:
    write_report(tmp_path, report)
    table = pd.read_csv(tmp_path / "summary.csv", dtype={"image": str})
    assert table["image"].tolist() == ["001", "b", "c"]
    assert table["cell_count"].tolist()[:2] == [3, 0]
    assert table["confluence"][0] == pytest.approx(48 / squares(3).size)
    assert table.loc[2, "failure"] == "c.tif is \x00 broken"
    assert table["cell_count"].isna().tolist() == [False, False, True]


def test_the_json_carries_the_making_and_knows_no_nan(
    tmp_path: Path, report: BatchReport
) -> None:
    write_report(tmp_path, report)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    text = (tmp_path / "summary.json").read_text(encoding="utf-8")
    told = json.loads(text, parse_constant=refuse)
    assert told["making"]["weights_sha256"] == "abc123"
    assert [one["cell_count"] for one in told["images"]] == [3, 0]
    assert told["images"][1]["area_mean_um2"] is None
    assert told["failures"] == [{"image": "c.tif", "reason": "c.tif is \x00 broken"}]
    assert told["not_begun"] == ["d.tif"]


def test_the_workbook_holds_the_same_tables(tmp_path: Path, report: BatchReport) -> None:
    *_, path = write_report(tmp_path, report, workbook=True)
    images, cells, making = pd.read_excel(
        path, sheet_name=["images", "cells", "making"], dtype={"image": str}
    ).values()
    assert images["cell_count"].tolist()[:2] == [3, 0]
    assert images["failure"][2] == "c.tif is  broken"
    expected = pd.read_csv(tmp_path / "001_cells.csv", dtype={"image": str})
    pd.testing.assert_frame_equal(cells, expected, check_dtype=False)
    assert dict(zip(making["what"], making["value"], strict=True))["model"] == "starter"


def test_more_cells_than_a_sheet_holds_go_to_another(
    tmp_path: Path, report: BatchReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_report, "MOST_ROWS", 3)
    write_report(tmp_path, report, workbook=True)
    book = openpyxl.load_workbook(tmp_path / "cells.xlsx")
    sizes = {name: book[name].max_row for name in ("cells", "cells 2")}
    assert sizes == {"cells": 3, "cells 2": 2}
    assert [cell.value for cell in book["cells 2"][1]][:2] == ["image", "label"]


def test_a_batch_without_any_result_is_told_too(tmp_path: Path) -> None:
    report = BatchReport((), (Path("a.tif"),), MAKING)
    written = write_report(tmp_path / "out", report, workbook=True)
    assert all(path.is_file() for path in written)
    assert len(pd.read_csv(written[0])) == 0
