"""The JSON API, asked as a browser asks it."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from builders import HEIGHT_PX, WIDTH_PX, results_of
from flask import Flask
from growing_run import Begin
from PIL import Image
from samcell_dashboard.api import Api
from samcell_dashboard.library import Library
from werkzeug.test import TestResponse

from samcell_live.records import FrameKey
from samcell_live.store.layout import series_column

Ask: TypeAlias = Callable[..., TestResponse]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask the API of the runs in the test's folder."""
    server = Flask(__name__)
    server.register_blueprint(Api(Library(tmp_path), "lab/runs").routes())
    client = server.test_client()

    def get(address: str, **query: str) -> TestResponse:
        return client.get(f"/api/v1{address}", query_string=query)

    return get


def told(answer: TestResponse) -> Any:
    """Parse JSON, but not the NaN that Python would let through."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(answer.text, parse_constant=refuse)


def only_run(ask: Ask) -> str:
    (run,) = told(ask("/runs"))["runs"]
    return f"/runs/{run['id']}"


def test_an_empty_folder_has_no_runs_and_says_where_it_looked(ask: Ask) -> None:
    assert told(ask("/runs")) == {"runs": [], "folder": "lab/runs"}


def test_runs_are_listed_newest_first_with_their_state(ask: Ask, begin: Begin) -> None:
    begin(name="first")
    second = begin(name="second")
    second.scan(0)

    runs = told(ask("/runs"))["runs"]

    assert [run["counts"]["analysed"] for run in runs] == [1, 0]
    assert [run["status"]["state"] for run in runs] == ["running", "waiting"]


def test_the_list_counts_what_the_pages_count(ask: Ask, begin: Begin) -> None:
    run = begin(6)
    run.scan(0)
    run.acquire(2)
    run.fail(2)
    run.acquire(3)
    (listed,) = told(ask("/runs"))["runs"]

    assert listed["counts"] == told(ask(f"/runs/{listed['id']}/updates"))["counts"]


@pytest.mark.parametrize("damage", ["samcell/zarr.json", "samcell/frames/rank/zarr.json"])
def test_a_damaged_run_is_listed_as_failed_and_hides_no_other(
    ask: Ask, begin: Begin, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    begin(name="good")
    (begin(name="half").path / damage).write_text("{")

    for _ in range(2):
        good, half = told(ask("/runs"))["runs"]

    assert good["status"]["state"] == "waiting"
    assert half["status"]["state"] == "failed"
    assert half["status"]["sentence"].startswith("half.ome.zarr cannot be read (")
    assert "Traceback (most recent call last)" in caplog.text
    assert caplog.text.count("A run cannot be read") == 1


def test_opening_a_damaged_run_says_the_reason(
    ask: Ask, begin: Begin, tmp_path: Path
) -> None:
    run = begin()
    run.scan(0)
    address = only_run(ask)
    (run.path / series_column("cells", "focus") / "zarr.json").unlink()

    answer = ask(f"{address}/updates")

    assert answer.status_code == 503
    assert "run.ome.zarr cannot be read (FileNotFoundError" in told(answer)["error"]
    assert str(tmp_path) not in answer.text


def test_a_damaged_picture_is_said_in_a_sentence(ask: Ask, begin: Begin) -> None:
    run = begin()
    run.scan(0)
    frame = f"{only_run(ask)}/views/0/frames/0"
    shutil.rmtree(run.path / "0" / "0" / "c")

    answer = ask(f"{frame}/image.png")

    assert answer.status_code == 503
    assert "cannot be read" in told(answer)["error"]


def test_ids_do_not_give_paths_away(ask: Ask, begin: Begin) -> None:
    run = begin()

    answer = ask(only_run(ask))

    assert str(run.path) not in answer.text
    assert run.path.name not in answer.text


def test_an_unknown_run_or_frame_is_refused_with_a_sentence(ask: Ask, begin: Begin) -> None:
    begin(4)
    run = only_run(ask)

    for address in ("/runs/..", "/runs/%2e%2e%2fetc", "/runs/0123456789ab/updates"):
        assert ask(address).status_code == 404
    beyond = ask(f"{run}/views/0/frames/4")

    assert beyond.status_code == 404
    assert "1 views and 4 timepoints" in told(beyond)["error"]


def test_updates_are_strict_json_even_when_nothing_is_known(ask: Ask, begin: Begin) -> None:
    run = begin(source="replay")
    run.acquire(0, elapsed_s=float("nan"), time_s=float("nan"))
    run.fail(0)

    update = told(ask(f"{only_run(ask)}/updates"))

    assert update["axis"] == "scan"
    assert update["status"]["age_s"] is None
    assert update["points"]["confluence"] == [None]
    assert update["failures"]["reason"] == ["RuntimeError: too dark"]


def test_an_update_tells_what_came_after_the_cursor(ask: Ask, begin: Begin) -> None:
    begin()
    run = only_run(ask)
    first = told(ask(f"{run}/updates"))

    again = told(ask(f"{run}/updates", since=first["cursor"]))

    assert first["reload"]
    assert not again["reload"]
    assert again["sites"]["site"] == []
    assert "growth" not in again


def test_frames_to_come_are_not_called_missing(ask: Ask, begin: Begin) -> None:
    run = begin(6)
    run.scan(0)
    run.scan(2)

    counts = told(ask(f"{only_run(ask)}/updates"))["counts"]

    assert counts == {
        "expected": 6,
        "acquired": 2,
        "to_come": 3,
        "missing": 1,
        "analysed": 2,
        "waiting": 0,
        "failed": 0,
    }


@pytest.mark.parametrize(
    ("t", "status"),
    [(0, "analysed"), (1, "failed"), (2, "missing"), (3, "waiting"), (4, "to come")],
)
def test_every_frame_has_a_status(ask: Ask, begin: Begin, t: int, status: str) -> None:
    run = begin()
    run.scan(0)
    run.acquire(1)
    run.fail(1)
    run.acquire(3)

    assert told(ask(f"{only_run(ask)}/views/0/frames/{t}"))["status"] == status


def test_positions_that_are_acquired_one_after_the_other_are_to_come(
    ask: Ask, begin: Begin
) -> None:
    order = [FrameKey(t=t, p=p) for p in range(2) for t in range(3)]
    run = begin(3, 2, expected=order)
    for t in range(3):
        run.acquire(t, p=0)

    counts = told(ask(f"{only_run(ask)}/updates"))["counts"]

    assert (counts["to_come"], counts["missing"]) == (3, 0)


def test_what_has_not_come_by_the_end_is_missing(ask: Ask, begin: Begin) -> None:
    run = begin(6)
    run.scan(0)
    run.end()

    counts = told(ask(f"{only_run(ask)}/updates"))["counts"]

    assert (counts["to_come"], counts["missing"]) == (0, 5)


def test_a_frame_and_its_outlines_are_pictures_of_one_shape(ask: Ask, begin: Begin) -> None:
    run = begin()
    run.scan(0, n_cells=3)
    frame = f"{only_run(ask)}/views/0/frames/0"

    image = Image.open(io.BytesIO(ask(f"{frame}/image.png").data))
    outlines = Image.open(io.BytesIO(ask(f"{frame}/outlines.png").data)).convert("RGBA")

    assert image.size == (WIDTH_PX, HEIGHT_PX)
    assert image.mode == "L"
    assert outlines.width / outlines.height == WIDTH_PX / HEIGHT_PX
    opaque = np.asarray(outlines)[..., 3] > 0
    assert 0 < opaque.mean() < 0.5


def test_outlines_are_kept_only_under_the_analysis_that_they_show(
    ask: Ask, begin: Begin
) -> None:
    run = begin()
    run.scan(0, n_cells=3)
    frame = f"{only_run(ask)}/views/0/frames/0"
    edition = told(ask(frame))["edition"]

    of_it = ask(f"{frame}/outlines.png", edition=edition)
    of_another = ask(f"{frame}/outlines.png", edition="0123456789ab")

    assert "immutable" in of_it.headers["Cache-Control"]
    assert of_another.headers["Cache-Control"] == "no-store"
    assert ask(f"{frame}/outlines.png").headers["Cache-Control"] == "no-store"


def test_another_analysis_is_another_edition(begin: Begin) -> None:
    run = begin(analysis="first")
    first = run.page().snapshot.edition
    results_of(run.path, run.plan, "cells")

    assert run.page().snapshot.edition != first


def test_a_run_that_took_the_place_of_another_has_its_own_pictures(
    ask: Ask, begin: Begin
) -> None:
    old = begin()
    old.scan(0)
    before = only_run(ask)
    shutil.rmtree(old.path)
    begin().scan(0)

    assert only_run(ask) != before
    assert ask(f"{before}/views/0/frames/0/image.png").status_code == 404


def test_a_frame_that_is_not_there_is_no_black_picture(ask: Ask, begin: Begin) -> None:
    run = begin()
    run.acquire(0)
    frames = f"{only_run(ask)}/views/0/frames"

    assert ask(f"{frames}/1/image.png").status_code == 404
    assert ask(f"{frames}/0/image.png").status_code == 200
    assert ask(f"{frames}/0/outlines.png").status_code == 404


def test_the_chart_refuses_what_it_cannot_draw(ask: Ask) -> None:
    answer = ask("/growth-figure", metric="mood")

    assert answer.status_code == 400
    assert told(answer)["error"] == (
        "metric is 'mood'; choose one of confluence, cell_count."
    )
