"""Gather what the settings say to train on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samcell_live.training.fields import Field, Source, make_field, read_fields
from samcell_live.training.simulated import render_fields

if TYPE_CHECKING:
    from samcell_live.training.settings import SimulatedFields, TrainingSettings

SIMULATED = "simulated"
FOLDER_FIELDS, FRESH_FIELDS = 8, 24
"""Fields of a folder, and of the simulation, that thresholds are tuned on."""


def gather_sources(settings: TrainingSettings) -> tuple[Source, ...]:
    """Read the folders and render the simulated fields.

    Raises
    ------
    ValueError
        If there is nothing to train on, or a folder cannot be read or has no cells.
    """
    sources = [
        Source(
            "/".join(folder.folder.parts[-2:]),
            read_fields(folder.folder, every=folder.hold_back_every),
            folder.share,
        )
        for folder in settings.folders
    ]
    if settings.simulated is not None:
        fields = simulated_fields(settings.simulated, settings.seed, settings.workers)
        sources.append(Source(SIMULATED, fields, settings.simulated.share))
    if not sources:
        raise ValueError(
            "There is nothing to train on. Name folders of images and masks, simulated "
            "fields, or both."
        )
    for source in sources:
        if not any(field.labels.any() for field in source.fields):
            raise ValueError(
                f"None of the {len(source.fields)} masks of {source.name} has a cell. "
                "A mask holds 0 on background and a number for each cell."
            )
    return tuple(sources)


def simulated_fields(
    settings: SimulatedFields, seed: int, workers: int
) -> tuple[Field, ...]:
    """Render simulated fields, ready to be cropped."""
    return tuple(
        make_field(field.name, field.pixels, field.labels)
        for field in render_fields(settings, seed, workers)
    )


def tuning_fields(source: Source, settings: TrainingSettings) -> tuple[Field, ...]:
    """Choose fields of a source to tune thresholds on: some, or freshly simulated ones."""
    if settings.simulated is not None and source.name == SIMULATED:
        fresh = settings.simulated.model_copy(update={"count": FRESH_FIELDS})
        return simulated_fields(fresh, settings.seed + 1, settings.workers)
    every = max(1, len(source.fields) // FOLDER_FIELDS)
    return source.fields[::every]
