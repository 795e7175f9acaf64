"""Which images a user means by files, folders and patterns; how their results are named."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from samcell_live.recordings.image_file import IMAGE_SUFFIXES, is_image, natural_order

NO_IMAGES_OF_CELLS = ("*_labels.tif", "*_overlay.png", "*_distance.tif", "*_mask.*")
"""Our own results, and masks, as `FolderRecording` leaves them out, too."""


class ChosenImages(NamedTuple):
    """What was found for a user's words."""

    images: tuple[Path, ...]
    """Each once; word by word, in natural order of their names."""
    left_out: tuple[Path, ...]
    """Results and masks, known by their names."""


def choose_images(words: Sequence[str | Path]) -> ChosenImages:
    """Find the images that files, folders and patterns stand for.

    A folder stands for the images directly in it. A pattern (``*``, ``?``, ``[...]``,
    ``**`` for any depth) is for shells that leave it to us, as those of Windows do, and
    for quoted ones.

    Parameters
    ----------
    words : sequence of str or Path

    Raises
    ------
    ValueError
        If there is nothing of a name, a folder or a pattern has no image, or none is left.

    Examples
    --------
    >>> choose_images(["no*such*file"])
    Traceback (most recent call last):
    ValueError: no*such*file is no image, and none is in it. Check the spelling; images ...
    """
    files = [file for word in words for file in _files(str(word))]
    found: dict[Path, Path] = {}
    for file in files:
        found.setdefault(file.resolve(), file)
    left_out = tuple(file for file in found.values() if not _is_of_cells(file))
    images = tuple(file for file in found.values() if _is_of_cells(file))
    if not images:
        raise ValueError(
            f"All {len(left_out)} images that were found are named like results or masks "
            f"({', '.join(NO_IMAGES_OF_CELLS)}). Rename those that are images of cells."
        )
    return ChosenImages(images, left_out)


def result_stems(images: Sequence[Path]) -> dict[Path, Path]:
    """Name the results of every image: a relative path without an ending.

    The name is the image's own without its suffix. Where images of several folders have
    the same name, all results are put in folders like theirs, from the closest folder
    that holds all images.

    Raises
    ------
    ValueError
        If images of one folder differ in nothing but their suffix.

    Examples
    --------
    >>> stems = result_stems([Path("plate/A1/phase.tif"), Path("plate/A2/phase.tif")])
    >>> [stem.as_posix() for stem in stems.values()]
    ['A1/phase', 'A2/phase']
    """
    stems = {image: Path(image.stem) for image in images}
    if _most_frequent(stems)[1] > 1:
        top = os.path.commonpath([image.absolute().parent for image in images])
        stems = {
            image: image.absolute().parent.relative_to(top) / image.stem for image in images
        }
    stem, times = _most_frequent(stems)
    if times > 1:
        raise ValueError(
            f"{times} images of one folder are named {stem}, so their results would have "
            "the same name. Segment them in separate calls, each with its own --out."
        )
    return stems


def _most_frequent(stems: dict[Path, Path]) -> tuple[str, int]:
    """Most frequent stem; where files are kept, capitals may make no difference."""
    return Counter(stem.as_posix().casefold() for stem in stems.values()).most_common(1)[0]


def _files(word: str) -> list[Path]:
    """Images that one word of the user stands for; a file that is named is one."""
    path = Path(word)
    if path.is_file():
        return [path]
    # pathlib's glob takes no absolute pattern.
    matches = [path] if path.is_dir() else map(Path, glob.glob(word, recursive=True))  # noqa: PTH207
    images = [image for match in matches for image in _images(match)]
    if not images:
        raise ValueError(
            f"{word} is no image, and none is in it. Check the spelling; images end in "
            f"{', '.join(sorted(IMAGE_SUFFIXES))}."
        )
    return sorted(images, key=lambda image: (image.parent, natural_order(image)))


def _images(path: Path) -> list[Path]:
    """Images directly in a folder; of a file itself; hidden ones are none."""
    files = path.iterdir() if path.is_dir() else [path]
    return [
        file
        for file in files
        if file.is_file() and is_image(file) and not file.name.startswith(".")
    ]


def _is_of_cells(path: Path) -> bool:
    return not any(map(path.match, NO_IMAGES_OF_CELLS))
