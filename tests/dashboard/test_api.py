"""The JSON API, asked as a browser asks it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from builders import HEIGHT_PX, WIDTH_PX
from flask import Flask
from growing_run import Begin
from PIL import Image
from samcell_dashboard.api import Api
from samcell_dashboard.library import Library
from werkzeug.test import TestResponse

Ask: TypeAlias = Callable[..., TestResponse]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask the API of the runs in the test's folder."""
    server = Flask(__name__)
    server.register_blueprint(Api(Library(tmp_path)).routes())
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


def test_an_empty_folder_has_no_runs_and_says_where_it_looked(
    ask: Ask, tmp_path: Path
) -> None:
    assert told(ask("/runs")) == {"runs": [], "folder": str(tmp_path.resolve())}


def test_runs_are_listed_newest_first_with_their_state(ask: Ask, begin: Begin) -> None:
    begin(name="first")
    second = begin(name="second")
    second.scan(0)

    runs = told(ask("/runs"))["runs"]

    assert [run["confluence"] for run in runs] == ["5.0 %", "—"]
    assert [run["status"]["state"] for run in runs] == ["running", "waiting"]


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
    ("t", "status"), [(0, "analysed"), (1, "failed"), (2, "waiting"), (3, "missing")]
)
def test_every_frame_has_a_status(ask: Ask, begin: Begin, t: int, status: str) -> None:
    run = begin()
    run.scan(0)
    run.acquire(1)
    run.fail(1)
    run.acquire(2)

    assert told(ask(f"{only_run(ask)}/views/0/frames/{t}"))["status"] == status


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
