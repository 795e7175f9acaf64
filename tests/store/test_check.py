"""The check finds what is wrong, and finds nothing wrong with a whole store."""

from pathlib import Path

import numpy as np
import pytest
from builders import (
    HEIGHT_PX,
    WIDTH_PX,
    acquired_run,
    cell_rows,
    commit_cells,
    plan,
    results_of,
    squares,
)

from samcell_live.records import Frame, FrameKey, SeriesRow
from samcell_live.store import layout
from samcell_live.store.arrays import open_array
from samcell_live.store.check import check_store
from samcell_live.store.reader import RunReader


@pytest.fixture
def run(tmp_path: Path) -> Path:
    acquired_run(tmp_path / "run")
    results = results_of(tmp_path / "run", plan())
    commit_cells(results, FrameKey(), 2)
    commit_cells(results, FrameKey(t=1), 0)
    results.fail(FrameKey(t=2), "out of memory")
    return tmp_path / "run"


def test_a_whole_store_has_no_findings(run: Path) -> None:
    assert check_store(run) == []


def test_a_damaged_raw_chunk_is_found(run: Path) -> None:
    chunk = run / "0" / "0" / "c" / "1" / "0" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:20])
    findings = [str(finding) for finding in check_store(run)]
    assert len(findings) == 1
    assert findings[0].startswith("frame(t=1): the raw frame cannot be read")


def test_a_lost_raw_chunk_is_found_and_never_read_as_an_empty_dish(run: Path) -> None:
    (run / "0" / "0" / "c" / "1" / "0" / "0" / "0").unlink()
    findings = [str(finding) for finding in check_store(run)]
    assert len(findings) == 1
    assert findings[0].startswith("frame(t=1): the raw frame cannot be read")
    with pytest.raises(OSError, match="NOT_FOUND"):
        RunReader(run).frame(FrameKey(t=1))


def test_a_black_frame_is_whole(tmp_path: Path) -> None:
    writer = acquired_run(tmp_path / "run")
    black = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint16)
    writer.write(Frame(FrameKey(t=1), black, 0.5))
    assert check_store(tmp_path / "run") == []


def test_a_lost_column_is_a_finding(run: Path) -> None:
    (run / layout.frame_column("acquired") / "zarr.json").unlink()
    assert "a part of it cannot be read" in str(check_store(run)[-1])


def test_a_lost_label_image_is_found(run: Path) -> None:
    (run / "0" / "labels" / "cells" / "0" / "c" / "0" / "0" / "0" / "0").unlink()
    assert [str(finding) for finding in check_store(run)] == [
        "frame(t=0), cells: the series counts 2 cells, the label image 0"
    ]


def test_a_cell_table_of_another_frame_is_found(run: Path) -> None:
    table = cell_rows(2) * 2
    open_array(run / layout.cells("cells"))[0, 1:3].write(table).result()
    assert "areas are not those of the label image" in str(check_store(run)[0])


def test_a_result_without_a_frame_is_found(run: Path) -> None:
    acquired = open_array(run / layout.frame_column("acquired"))
    acquired[0].write(np.uint8(0)).result()
    assert str(check_store(run)[0]) == "frame(t=0): cells has a result, but no frame"


def test_spoilt_metadata_is_found(run: Path) -> None:
    text = (run / "0" / "zarr.json").read_text()
    (run / "0" / "zarr.json").write_text(text.replace("multiscales", "multiscale"))
    assert check_store(run)[0].where == "OME-Zarr metadata"


def test_a_frame_without_cells_is_whole(tmp_path: Path) -> None:
    acquired_run(tmp_path / "run")
    row = SeriesRow(confluence=0, cell_count=0)
    results_of(tmp_path / "run", plan()).commit(
        FrameKey(), row, labels=squares(0), cells=cell_rows(0)
    )
    assert check_store(tmp_path / "run") == []
