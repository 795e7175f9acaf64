"""A user's words become the images that are meant, each once, in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from samcell_live.recordings.choose_images import choose_images, result_stems


def made(folder: Path, *names: str) -> list[Path]:
    """Empty files; only names count here."""
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def test_a_folder_stands_for_its_images_in_natural_order(tmp_path: Path) -> None:
    made(tmp_path, "t10.tif", "t2.PNG", "notes.txt", ".t1.tif", "deeper/t3.tif")
    chosen = choose_images([tmp_path])
    assert [image.name for image in chosen.images] == ["t2.PNG", "t10.tif"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.tif", ["a.tif"]),
        ("[ab].*", ["a.tif", "b.png"]),
        ("*", ["a.tif", "b.png", "c.tif"]),
        ("**/*.tif", ["a.tif", "c.tif"]),
    ],
)
def test_a_pattern_is_filled_in_even_where_the_shell_does_not(
    tmp_path: Path, pattern: str, names: list[str]
) -> None:
    made(tmp_path, "a.tif", "b.png", "b.txt", "folder/c.tif")
    chosen = choose_images([f"{tmp_path}/{pattern}"])
    assert [image.name for image in chosen.images] == names


def test_a_file_with_brackets_in_its_name_is_no_pattern(tmp_path: Path) -> None:
    (image,) = made(tmp_path, "well[1].tif")
    assert choose_images([image]).images == (image,)


def test_an_image_that_is_named_twice_is_taken_once(tmp_path: Path) -> None:
    (image,) = made(tmp_path, "a.tif")
    again = tmp_path / ".." / tmp_path.name / "a.tif"
    assert choose_images([image, tmp_path, again, f"{tmp_path}/*"]).images == (image,)


def test_results_and_masks_are_left_out_and_named(tmp_path: Path) -> None:
    made(tmp_path, "a.tif", "a_labels.tif", "a_overlay.png", "a_distance.tif", "a_mask.png")
    chosen = choose_images([tmp_path, tmp_path / "a_labels.tif"])
    assert [image.name for image in chosen.images] == ["a.tif"]
    assert len(chosen.left_out) == 4


@pytest.mark.parametrize("word", ["none.tif", "*.tif", "empty"])
def test_a_word_that_stands_for_nothing_is_refused_beside_others(
    tmp_path: Path, word: str
) -> None:
    (tmp_path / "empty").mkdir()
    (image,) = made(tmp_path, "a.png")
    with pytest.raises(ValueError, match="is no image, and none is in it"):
        choose_images([image, f"{tmp_path}/{word}"])


def test_results_alone_are_refused(tmp_path: Path) -> None:
    made(tmp_path, "a_labels.tif")
    with pytest.raises(ValueError, match=r"All 1 images .* named like results or masks"):
        choose_images([tmp_path])


def test_results_lie_side_by_side_where_names_differ(tmp_path: Path) -> None:
    images = made(tmp_path, "one/a.tif", "two/b.tif")
    assert list(result_stems(images).values()) == [Path("a"), Path("b")]


def test_images_of_one_name_get_folders_like_their_own(tmp_path: Path) -> None:
    images = made(tmp_path, "A1/t1/phase.tif", "A2/t1/PHASE.png", "map.tif")
    stems = [stem.as_posix() for stem in result_stems(images).values()]
    assert stems == ["A1/t1/phase", "A2/t1/PHASE", "map"]


@pytest.mark.parametrize("other", ["a.png", "A.png"])
def test_results_never_overwrite_each_other(tmp_path: Path, other: str) -> None:
    images = made(tmp_path, "a.tif", other)
    with pytest.raises(ValueError, match="2 images of one folder are named a"):
        result_stems(images)
