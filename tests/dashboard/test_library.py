"""Which runs a folder holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from growing_run import Begin
from samcell_dashboard.library import Library
from samcell_dashboard.reading import UnreadableRunError


def test_a_run_store_is_a_library_of_one(begin: Begin) -> None:
    run = begin()

    (found,) = Library(run.path).runs()

    assert found.feed.reader.path == run.path


def test_a_folder_shows_the_runs_right_inside_it(begin: Begin, tmp_path: Path) -> None:
    begin(name="a")
    begin(name="b")
    (tmp_path / "notes").mkdir()

    assert len(Library(tmp_path).runs()) == 2


def test_a_run_that_begins_later_appears_and_keeps_its_id(
    begin: Begin, tmp_path: Path
) -> None:
    library = Library(tmp_path)
    assert library.runs() == []
    begin()

    (found,) = library.runs()

    assert library.run(found.id) is found
    assert Library(tmp_path).runs()[0].id == found.id


def test_a_link_out_of_the_folder_is_not_followed(begin: Begin, tmp_path: Path) -> None:
    run = begin()
    inside = tmp_path / "inside"
    inside.mkdir()
    try:
        (inside / "link.ome.zarr").symlink_to(run.path, target_is_directory=True)
    except OSError as error:
        pytest.skip(f"this system makes no links: {error}")

    assert Library(inside).runs() == []


def test_a_broken_run_stands_beside_the_others_and_says_why_it_cannot_be_read(
    begin: Begin, tmp_path: Path
) -> None:
    begin(name="good")
    broken = begin(name="broken")
    attributes = broken.path / "samcell" / "zarr.json"
    attributes.write_text(attributes.read_text().replace('"schema"', '"scheme"'))

    bad, good = Library(tmp_path).runs()

    assert good.feed.page().snapshot.vitals.account.expected == 12
    with pytest.raises(UnreadableRunError, match="has schema None") as found:
        _ = bad.feed
    assert str(tmp_path) not in str(found.value)


def test_a_run_that_takes_the_place_of_another_is_another_run(
    begin: Begin, tmp_path: Path
) -> None:
    library = Library(tmp_path)
    old = begin(4)
    (before,) = library.runs()
    shutil.rmtree(old.path)
    begin(6)

    assert library.run(before.id) is None
    (after,) = library.runs()

    assert after.id != before.id
    assert after.feed.page().snapshot.vitals.account.expected == 6


def test_a_run_that_was_taken_away_is_gone(begin: Begin, tmp_path: Path) -> None:
    library = Library(tmp_path)
    run = begin()
    (found,) = library.runs()
    run.path.rename(tmp_path.parent / f"{tmp_path.name}-elsewhere")

    assert library.run(found.id) is None


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        Library(tmp_path / "nowhere")
