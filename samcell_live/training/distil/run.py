"""Distil a starter network from a teacher: from images to weights, and a report."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from samcell_live.records import NAN
from samcell_live.segmentation.inference import choose_device
from samcell_live.training.distil.answers import Question, TeacherAnswers, find_teacher
from samcell_live.training.distil.lessons import find_images, gather_lessons
from samcell_live.training.distil.report import DistilReport
from samcell_live.training.fields import Source
from samcell_live.training.report import SUMMARY
from samcell_live.training.run import claim, learn, load_weights, refuse_other_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from samcell_live.segmentation.segmenter import Segmenter
    from samcell_live.training.distil.lessons import Lesson
    from samcell_live.training.distil.settings import DistilSettings
    from samcell_live.training.train import Step

ANSWERS = "teacher"
"""Folder, in the run's, of what the teacher sees."""


def distil(
    settings: DistilSettings,
    run_folder: Path,
    *,
    device: str = "auto",
    on_image: Callable[[int, int], None] = lambda n_done, n_images: None,
    on_step: Callable[[Step], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> DistilReport | None:
    """Train a starter network on a teacher's distance maps, and score it against them.

    A run that was stopped or killed goes on when it is started again with the same
    settings and folder, without asking the teacher again. Thresholds are tuned on images
    that were learnt from; every fifth image is held back and only scored.

    Parameters
    ----------
    settings : DistilSettings
    run_folder : Path
        Made if need be. Gets ``teacher/`` with what the teacher sees, and all that
        `train_starter` writes.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    on_image : callable
        Told how many images the teacher has seen, and how many there are.
    on_step : callable
        Told of every optimiser step.
    stop : threading.Event, optional
        Set it to end after the image or the optimiser step at hand, which is kept.

    Returns
    -------
    DistilReport or None
        None if it was stopped before the last step.

    Raises
    ------
    ValueError
        If there is nothing to learn from, the teacher is unknown or cannot segment, the
        device is not there, or the run folder belongs to other settings or another
        teacher.
    OSError
        If the teacher's weights cannot be fetched.
    """
    stop = stop or threading.Event()
    place = choose_device(device)
    images = find_images(settings.images)
    question = Question(
        teacher=find_teacher(settings.teacher),
        cell_diameter_px=settings.cell_diameter_px,
    )
    refuse_other_run(run_folder, settings)
    answers = TeacherAnswers(question, run_folder / ANSWERS, place)
    lessons = gather_lessons(images.of_cells, answers, on_image=on_image, stop=stop)
    if lessons is None:
        return None
    claim(run_folder, settings)

    name = "/".join(settings.images.parts[-2:])
    source = Source(name, tuple(lesson.field for lesson in lessons.learnt), share=1.0)
    student = learn(
        (source,),
        tuple(lesson.field for lesson in lessons.held_back),
        settings,
        run_folder,
        place,
        teacher=question.teacher,
        on_step=on_step,
        stop=stop,
    )
    if student is None:
        return None
    segmenter = load_weights(student.weights, place)
    report = DistilReport(
        student=student,
        teacher=question.teacher,
        n_learnt=len(lessons.learnt),
        n_passed_over=len(images.passed_over),
        left_out=lessons.left_out,
        device=segmenter.making.device,
        teacher_s=_teacher_s(lessons.held_back, segmenter.making.device),
        student_s=_student_s(lessons.held_back, segmenter),
    )
    (run_folder / SUMMARY).write_text(report.summary() + "\n", encoding="utf-8")
    return report


def _teacher_s(lessons: Sequence[Lesson], device: str) -> float:
    if any(lesson.device != device for lesson in lessons):
        return NAN
    return float(np.median([lesson.seconds for lesson in lessons]))


def _student_s(lessons: Sequence[Lesson], segmenter: Segmenter) -> float:
    images = [lesson.field.image for lesson in lessons]
    segmenter(images[0])  # the first call is slower
    seconds = []
    for image in images:
        started_s = time.perf_counter()
        segmenter(image)
        seconds.append(time.perf_counter() - started_s)
    return float(np.median(seconds))
