"""What a batch of single images came to, as tables and for a script."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from samcell_live.culture.measurements import CultureSummary
from samcell_live.recordings.image_results import FailedImage, SegmentedImage
from samcell_live.recordings.result_files import completed, write_table
from samcell_live.records import Making

MOST_ROWS = 1_048_576
"""In a sheet of a workbook."""
NAMES_WIDTH = 24
"""Characters that the first column shows."""
SUMMARY_TABLE, SUMMARY_JSON, WORKBOOK = "summary.csv", "summary.json", "cells.xlsx"


@dataclass(frozen=True, slots=True)
class BatchReport:
    """The account of a batch: every image is segmented, failed or not begun."""

    results: tuple[SegmentedImage | FailedImage, ...]
    """In the order of the images."""
    not_begun: tuple[Path, ...]
    """Left when the user stopped the batch."""
    making: Making

    @property
    def segmented(self) -> list[SegmentedImage]:
        """Images with results."""
        return [one for one in self.results if isinstance(one, SegmentedImage)]

    @property
    def failed(self) -> list[FailedImage]:
        """Images without, and why."""
        return [one for one in self.results if isinstance(one, FailedImage)]

    def table(self) -> pd.DataFrame:
        """One line per image that was begun; a failed one has its reason alone."""
        columns = ["image", "file", "pixel_size_um", *CultureSummary._fields, "failure"]
        return pd.DataFrame([_line(one) for one in self.results], columns=columns)

    def for_json(self) -> dict[str, object]:
        """Everything, in what JSON knows; unknown numbers are null."""
        return {
            "images": [
                {
                    "image": str(one.task.image),
                    "pixel_size_um": _known(one.pixel_size_um),
                    **{
                        name: _known(value) for name, value in one.summary._asdict().items()
                    },
                    "files": [str(file) for file in one.files],
                }
                for one in self.segmented
            ],
            "failures": [
                {"image": str(one.task.image), "reason": one.reason} for one in self.failed
            ],
            "not_begun": [str(image) for image in self.not_begun],
            "making": asdict(self.making),
        }


def write_report(
    folder: Path, report: BatchReport, *, workbook: bool = False
) -> list[Path]:
    """Write ``summary.csv``, ``summary.json`` and, if asked for, ``cells.xlsx``.

    Returns
    -------
    list of Path
        What was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / SUMMARY_TABLE, folder / SUMMARY_JSON]
    write_table(written[0], report.table())
    with completed(written[1]) as partial:
        text = json.dumps(report.for_json(), indent=2, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")
    if workbook:
        written.append(folder / WORKBOOK)
        write_workbook(written[2], report)
    return written


def write_workbook(path: Path, report: BatchReport) -> None:
    """Write the sheets ``images``, ``cells`` and ``making``.

    The cells are those of the images' own tables, read back one by one, so that memory
    does not grow with the batch. Where they are more than a sheet can hold, there are
    ``cells 2`` and so on.
    """
    book = Workbook(write_only=True)
    _fill_sheets(book, "images", _rows([report.table()]))
    cells = (pd.read_csv(one.cells, converters={"image": str}) for one in report.segmented)
    _fill_sheets(book, "cells", _rows(cells))
    making = asdict(report.making)
    settings = making.pop("settings")
    facts = pd.DataFrame(list((making | settings).items()), columns=["what", "value"])
    _fill_sheets(book, "making", _rows([facts]))
    with completed(path) as partial:
        book.save(partial)


def _line(one: SegmentedImage | FailedImage) -> dict[str, object]:
    line: dict[str, object] = {
        "image": one.task.stem.as_posix(),
        "file": str(one.task.image),
    }
    if isinstance(one, FailedImage):
        return line | {"failure": one.reason}
    return line | {"pixel_size_um": one.pixel_size_um} | one.summary._asdict()


def _for_json(one: SegmentedImage) -> dict[str, object]:
    numbers = {"pixel_size_um": one.pixel_size_um} | one.summary._asdict()
    return {
        "image": str(one.task.image),
        **{name: _known(value) for name, value in numbers.items()},
        "files": [str(file) for file in one.files],
    }


def _rows(tables: Iterable[pd.DataFrame]) -> Iterator[list[Any]]:
    """Header of the first table, then the lines of all."""
    header: list[Any] = []
    for table in tables:
        if not header:
            header = list(table.columns)
            yield header
        for row in table.itertuples(index=False):
            yield [_cell(value) for value in row]


def _cell(value: object) -> object:
    """Say a value in what a spreadsheet takes; unknown is blank."""
    if isinstance(value, str):
        return ILLEGAL_CHARACTERS_RE.sub("", value)
    return _known(value)


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _fill_sheets(book: Workbook, title: str, rows: Iterator[list[Any]]) -> None:
    """Append rows under a header that stays in view, to as many sheets as it takes."""
    header = next(rows, [])
    for number in count(1):
        sheet = book.create_sheet(title if number == 1 else f"{title} {number}")
        sheet.freeze_panes = "B2"
        sheet.column_dimensions["A"].width = NAMES_WIDTH
        sheet.append(header)
        for row in islice(rows, MOST_ROWS - 1):
            sheet.append(row)
        following = next(rows, None)
        if following is None:
            return
        rows = chain([following], rows)
