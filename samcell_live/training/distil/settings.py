"""What a starter network learns from a teacher, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, PositiveFloat

from samcell_live.training.settings import TrainingSettings


class DistilSettings(TrainingSettings):
    """One run of distilling; a starter network is trained as on masks otherwise."""

    teacher: str = Field(
        description="A model's name, an address, or the path of a weights file."
    )
    images: Path = Field(description="Folder of images, which need no masks.")
    cell_diameter_px: PositiveFloat | None = Field(
        None,
        description="Typical cell diameter in the images. Set, the teacher sees them at "
        "the scale that it knows best.",
    )
    folders: tuple[()] = Field((), exclude=True, description="None: there are no masks.")
    simulated: None = Field(None, exclude=True, description="None, likewise.")
    validation: None = Field(
        None, exclude=True, description="None: every fifth image is held back."
    )

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Read settings from a file; relative paths in it start at the file's own folder.

        Raises
        ------
        ValueError
            As for all settings.
        """
        settings = super().from_yaml(path)
        teacher = path.parent / Path(settings.teacher).expanduser()
        return settings.model_copy(
            update={
                "images": path.parent / settings.images,
                "teacher": str(teacher) if teacher.is_file() else settings.teacher,
            }
        )
