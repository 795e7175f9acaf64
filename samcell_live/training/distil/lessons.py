"""Images with a teacher's answers: what is learnt from, and what is held back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from samcell_live.segmentation.preprocess import GreyImage, grey
from samcell_live.training.data.image_files import is_image, read_pixels
from samcell_live.training.data.pairs import NAMINGS, NO_IMAGES
from samcell_live.training.fields import Field, make_field

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from samcell_live.training.distil.answers import TeacherAnswers

HOLD_BACK_EVERY = 5
"""The last of so many images is not learnt from."""

NOT_OF_CELLS = (*NO_IMAGES, *(naming.mask for naming in NAMINGS))
"""Ends of the names of masks and results, which no teacher is to see."""


class FolderImages(NamedTuple):
    """Image files of a folder, by name."""

    of_cells: tuple[Path, ...]
    passed_over: tuple[Path, ...]
    """Those that are named like masks or results."""


class Lesson(NamedTuple):
    """An image as the teacher sees it."""

    field: Field
    seconds: float
    """That the teacher took."""
    device: str
    """Where it did."""


class Lessons(NamedTuple):
    """All images of a folder."""

    learnt: tuple[Lesson, ...]
    """Those with cells first."""
    held_back: tuple[Lesson, ...]
    left_out: tuple[str, ...]
    """Name and fault of each image that cannot be read."""


def find_images(folder: Path) -> FolderImages:
    """Find the images of a folder, and tell masks and results from them by their names.

    Raises
    ------
    ValueError
        If there is no image of cells.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder. Give one with images in it.")
    images = sorted(path for path in folder.iterdir() if is_image(path))
    passed_over = tuple(path for path in images if path.stem.endswith(NOT_OF_CELLS))
    of_cells = tuple(path for path in images if not path.stem.endswith(NOT_OF_CELLS))
    if not of_cells:
        raise ValueError(
            f"{folder} has no image (PNG, TIFF, JPEG, BMP), apart from {len(passed_over)} "
            f"files that are named like masks or results ({', '.join(NOT_OF_CELLS)}). "
            "Give a folder with images of cells."
        )
    return FolderImages(of_cells, passed_over)


def gather_lessons(
    images: Sequence[Path],
    answers: TeacherAnswers,
    *,
    on_image: Callable[[int, int], None],
    stop: threading.Event,
) -> Lessons | None:
    """Have the teacher look at every image.

    Parameters
    ----------
    images : sequence of Path
    answers : TeacherAnswers
    on_image : callable
        Told how many images are done, and how many there are.
    stop : threading.Event
        Set it to end after the image at hand; its answer and those before are kept.

    Returns
    -------
    Lessons or None
        None if it was stopped.

    Raises
    ------
    ValueError
        If fewer than two images can be read, there is no cell to learn from, or the
        teacher cannot be loaded.
    """
    lessons: list[Lesson] = []
    left_out: list[str] = []
    for n_done, image in enumerate(images, start=1):
        if stop.is_set():
            return None
        try:
            pixels = _read(image)
        except (ValueError, OSError) as error:
            left_out.append(f"{image.name}: {error}")
        else:
            lessons.append(_lesson(image, pixels, answers))
        on_image(n_done, len(images))
    return _split(lessons, tuple(left_out))


def _read(image: Path) -> GreyImage:
    return grey(read_pixels(image))


def _lesson(image: Path, pixels: GreyImage, answers: TeacherAnswers) -> Lesson:
    answer = answers(image, pixels)
    field = make_field(image.name, pixels, answer.labels, answer.distance)
    return Lesson(field, answer.seconds, answer.device)


def _split(lessons: Sequence[Lesson], left_out: tuple[str, ...]) -> Lessons:
    """Hold back every fifth, or the last where there are fewer."""
    if len(lessons) < 2:
        faults = f" {left_out[0]} ({len(left_out)} in all)" if left_out else ""
        raise ValueError(
            f"{len(lessons)} of {len(lessons) + len(left_out)} images can be used, and two "
            f"are needed: one to learn from, one to hold back.{faults}"
        )
    every = min(HOLD_BACK_EVERY, len(lessons))
    held_back = lessons[every - 1 :: every]
    learnt = [lesson for n, lesson in enumerate(lessons, start=1) if n % every]
    if not any(_has_cells(lesson) for lesson in learnt):
        raise ValueError(
            f"The teacher sees no cell in any of {len(learnt)} images, so there is nothing "
            "to learn. If there are cells, tell it their size: cell_diameter_px."
        )
    # Thresholds are tuned on some of them, the first included.
    learnt.sort(key=_has_cells, reverse=True)
    return Lessons(tuple(learnt), tuple(held_back), left_out)


def _has_cells(lesson: Lesson) -> bool:
    return bool(lesson.field.labels.any())
