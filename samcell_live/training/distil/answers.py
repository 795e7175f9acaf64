"""Where a teacher sees cells: asked once for each image, then kept on disk."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from samcell_live.records import DistanceMap, Labels
from samcell_live.segmentation.formats import read_weights
from samcell_live.segmentation.headers import Teacher
from samcell_live.segmentation.segmenter import Segmenter, load_segmenter
from samcell_live.segmentation.weights import find_weights
from samcell_live.segmentation.weights.checksum import file_sha256
from samcell_live.segmentation.weights.terms import terms_of
from samcell_live.settings import SegmentationSettings, Settings
from samcell_live.training.tuning.maps import from_steps, in_steps

if TYPE_CHECKING:
    from samcell_live.segmentation.preprocess import GreyImage

ASKED = "teacher.json"
"""File, beside the answers, that says what was asked."""
WARM_UP_PX = 256
"""Side of the corner that the teacher sees before its seconds are counted."""


class Answer(NamedTuple):
    """What the teacher sees in one image."""

    distance: DistanceMap
    """In the steps of `in_steps`."""
    labels: Labels
    seconds: float
    """From image to labels."""
    device: str


class Question(Settings):
    """Who is asked, and what is told of the cells; kept beside the answers."""

    teacher: Teacher
    cell_diameter_px: float | None

    def __str__(self) -> str:
        """Say it in an error."""
        told = f", told {self.cell_diameter_px} px" if self.cell_diameter_px else ""
        return f"{self.teacher.name} (SHA-256 {self.teacher.sha256[:12]}...{told})"

    def is_like(self, other: Question) -> bool:
        """Whether both have the same answers, whatever the teacher is called."""
        same_teacher = self.teacher.sha256 == other.teacher.sha256
        return same_teacher and self.cell_diameter_px == other.cell_diameter_px


def find_teacher(model: str) -> Teacher:
    """Find a model's weights, fetching them if need be, and say what they are.

    Raises
    ------
    ValueError
        If there are no such weights, or they cannot segment.
    OSError
        If they cannot be fetched.
    """
    weights = read_weights(find_weights(model))
    return Teacher(name=model, sha256=weights.sha256, terms=terms_of(model, weights))


class TeacherAnswers:
    """The answers of one teacher in one folder.

    An answer is kept under the name and the checksum of its image, so an image that
    changed is asked about again. The teacher is loaded when it is asked first.

    Parameters
    ----------
    question : Question
    folder : Path
        Made when the first answer is kept.
    device : torch.device
        For the teacher.

    Raises
    ------
    ValueError
        If the folder holds the answers to another question.
    """

    def __init__(self, question: Question, folder: Path, device: torch.device) -> None:
        self._question = question
        self._folder = folder
        self._device = device
        self._segmenter: Segmenter | None = None
        self._refuse_others()

    def __call__(self, image: Path, pixels: GreyImage) -> Answer:
        """Give the answer for an image; the first time, ask.

        Parameters
        ----------
        image : Path
            Its file.
        pixels : (height, width) float32

        Raises
        ------
        ValueError
            If the teacher cannot be loaded, or answers NaN.
        """
        path = self._folder / f"{image.name}-{file_sha256(image)[:16]}.npz"
        if not path.exists():
            self._keep(path, self._ask(pixels))
        with np.load(path) as kept:
            return Answer(
                distance=from_steps(kept["distance"]),
                labels=kept["labels"],
                seconds=float(kept["seconds"]),
                device=str(kept["device"]),
            )

    def _ask(self, pixels: GreyImage) -> Answer:
        if self._segmenter is None:
            self._segmenter = self._load()
            # The first call in a process is slower, and seconds are to be compared.
            self._segmenter(pixels[:WARM_UP_PX, :WARM_UP_PX])
        started_s = time.perf_counter()
        seen = self._segmenter(pixels)
        seconds = time.perf_counter() - started_s
        return Answer(seen.distance, seen.labels, seconds, seen.making.device)

    def _load(self) -> Segmenter:
        settings = SegmentationSettings(
            model=self._question.teacher.name,
            cell_diameter_px=self._question.cell_diameter_px,
        )
        return load_segmenter(settings, device=self._device)

    def _keep(self, path: Path, answer: Answer) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / ASKED).write_text(
            self._question.model_dump_json(indent=2) + "\n", encoding="utf-8"
        )
        unfinished = path.with_name(f"{path.name}.partial")
        with unfinished.open("wb") as file:
            np.savez_compressed(
                file,
                distance=in_steps(answer.distance),
                labels=answer.labels,
                seconds=answer.seconds,
                device=answer.device,
            )
        unfinished.replace(path)

    def _refuse_others(self) -> None:
        path = self._folder / ASKED
        if not path.exists():
            return
        theirs = Question.model_validate_json(path.read_bytes())
        if not theirs.is_like(self._question):
            raise ValueError(
                f"{self._folder} holds the answers of {theirs}, not of {self._question}. "
                "Train in another folder, or delete this one."
            )
