"""What distilling came to, for people and for scripts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samcell_live.training.scores import mean_op_csb

if TYPE_CHECKING:
    from samcell_live.segmentation.headers import Teacher
    from samcell_live.training.report import TrainingReport


@dataclass(frozen=True, slots=True)
class DistilReport:
    """What distilling came to."""

    student: TrainingReport
    """Its scores are those against the teacher, on the images held back."""
    teacher: Teacher
    n_learnt: int
    """Images that were learnt from."""
    n_passed_over: int
    """Files that were not looked at because they are named like masks or results."""
    left_out: tuple[str, ...]
    """Name and fault of each image that could not be read."""
    device: str
    """Where the student took its seconds."""
    teacher_s: float
    """Median over the images held back; NaN if the teacher was asked elsewhere."""
    student_s: float
    """Median over the same images."""

    @property
    def op_csb(self) -> float:
        """Of the student against the teacher; NaN if the teacher sees no cell there."""
        return mean_op_csb(self.student.scores)

    @property
    def times_faster(self) -> float:
        """Seconds of the teacher over those of the student."""
        return self.teacher_s / self.student_s

    def summary(self) -> str:
        """Say it in a few lines of text."""
        n_held_back = len(self.student.scores)
        lines = (
            self.student.summary(),
            f"{self.n_learnt} images learnt from, {n_held_back} held back; "
            f"{self.n_passed_over} files named like masks or results",
            f"teacher: {self.teacher.name} (SHA-256 {self.teacher.sha256[:12]}...)",
            f"terms of the teacher's weights, and so of these: {self.teacher.terms}",
            *(f"left out: {fault}" for fault in self.left_out),
            f"student against teacher: OP_CSB {self.op_csb:.3f}; {self._speed()}",
        )
        return "\n".join(lines)

    def for_json(self) -> dict[str, object]:
        """Say it for a script; what is unknown is None."""
        return {
            "weights": str(self.student.weights),
            "steps": self.student.steps,
            "teacher": self.teacher.name,
            "teacher_sha256": self.teacher.sha256,
            "terms": self.teacher.terms,
            "op_csb": _known(self.op_csb),
            "device": self.device,
            "teacher_s": _known(self.teacher_s),
            "student_s": self.student_s,
            "times_faster": _known(self.times_faster),
            "left_out": list(self.left_out),
        }

    def _speed(self) -> str:
        student = f"{self.student_s:.3g} s per image on {self.device}"
        if math.isnan(self.teacher_s):
            return f"{student}; the teacher was asked on another device"
        return (
            f"{student}, {self.times_faster:.1f} times as fast as the teacher "
            f"({self.teacher_s:.3g} s)"
        )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
