"""What an acquisition is beyond its sequence, and how its run begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from useq import MDAEvent, MDASequence

from samcell_live.analysis.live_run import LiveRun
from samcell_live.microscope.planning import plan_run, refuse_other_camera
from samcell_live.microscope.remaining import RemainingSequence
from samcell_live.records import Frame
from samcell_live.settings import (
    AnalysisSettings,
    Raw,
    RunSettings,
    SimulatedMicroscope,
)
from samcell_live.store.reader import RunReader

_RECORDED_VERSIONS = ("samcell-live", "pymmcore-plus", "useq-schema", "tensorstore")


@dataclass(frozen=True, slots=True)
class Experiment:
    """What a monitored acquisition is, beyond its sequence."""

    name: str = "run"
    source: Literal["simulated", "microscope"] = "microscope"
    analysis: AnalysisSettings = field(default_factory=AnalysisSettings)
    bits: int | None = None
    """Bits of the camera that carry data; None: ask the camera."""
    pixel_size_um: float | None = None
    """Overrides the microscope's calibration."""
    culture_seconds_per_second: float | None = None
    """A simulated culture's time runs with the sequence's, this much faster; None: real."""
    raw: Raw = "keep"
    """Keep our raw frames, or remove them once they are analysed."""
    budget_bytes: int = 2**30
    keep_free_bytes: int = 2**29
    """The acquisition is paused while the disk has less room than this."""
    plate: tuple[int, int] | None = None
    """Rows and columns of the well plate; None: the smallest that holds the wells."""
    settings: Mapping[str, Any] | None = None
    """Kept in the store beside the numbers."""

    @classmethod
    def from_settings(
        cls, settings: RunSettings, plate: tuple[int, int] | None
    ) -> Experiment:
        """Take what a configuration says of the experiment."""
        simulated = (
            settings.microscope
            if isinstance(settings.microscope, SimulatedMicroscope)
            else None
        )
        return cls(
            name=settings.name,
            source="simulated" if simulated else "microscope",
            analysis=settings.analysis,
            bits=simulated.bits if simulated else None,
            pixel_size_um=settings.microscope.pixel_size_um,
            culture_seconds_per_second=simulated.speed if simulated else None,
            raw=settings.raw,
            budget_bytes=settings.memory_budget_mb * 2**20,
            keep_free_bytes=settings.keep_free_mb * 2**20,
            plate=plate,
            settings=settings.model_dump(mode="json", exclude={"sequence"}),
        )


class Beginnings:
    """Makes the run of each acquisition of one core.

    The first is made at `store`, the next in a folder with ``-2`` and so on.
    """

    def __init__(self, core: Any, store: Path, experiment: Experiment) -> None:
        self.runs: list[LiveRun] = []
        """In the order in which they began."""
        self._core = core
        self._store = store
        self._experiment = experiment

    def with_sequence(self, sequence: MDASequence, summary: Mapping[str, Any]) -> LiveRun:
        """Make the run of a sequence before its first frame."""
        if not summary["image_infos"]:
            raise ValueError(
                "The microscope has no camera, so no frame can come. Load its "
                "configuration (core.loadSystemConfiguration) and name the camera "
                "(core.setCameraDevice)."
            )
        camera = summary["image_infos"][0]
        if isinstance(sequence, RemainingSequence):
            return self._gone_on_with(sequence.rest.store, camera)
        return self._begun(sequence, camera)

    def in_the_middle(
        self, first: Frame, event: MDAEvent, seen: Sequence[MDAEvent]
    ) -> LiveRun:
        """Make a run of which frames have come.

        Parameters
        ----------
        first : Frame
            The first that was heard of.
        event : useq.MDAEvent
            The event that brought it.
        seen : sequence of useq.MDAEvent
            Of an acquisition of unknown length, an event of each place that was seen.
        """
        camera = {
            "dtype": str(first.pixels.dtype),
            "plane_shape": first.pixels.shape,
            "pixel_size_um": np.nan_to_num(first.pixel_size_um),  # 0: not calibrated
            "num_camera_adapter_channels": self._core.getNumberOfCameraChannels(),
        }
        return self._begun(event.sequence, camera, seen)

    def _gone_on_with(self, path: Path, camera: Mapping[str, Any]) -> LiveRun:
        plan = RunReader(path).plan
        refuse_other_camera(plan, camera)
        return self._add(
            LiveRun(path, plan, budget_bytes=self._experiment.budget_bytes, resume=True)
        )

    def _begun(
        self,
        sequence: MDASequence | None,
        camera: Mapping[str, Any],
        seen: Sequence[MDAEvent] = (),
    ) -> LiveRun:
        experiment = self._experiment
        plan, expected = plan_run(
            sequence,
            camera,
            seen=seen,
            name=experiment.name,
            source=experiment.source,
            analysis=experiment.analysis,
            raw=experiment.raw,
            bits=experiment.bits or self._core.getImageBitDepth(),
            pixel_size_um=experiment.pixel_size_um,
            time_scale=experiment.culture_seconds_per_second or 1.0,
            plate=experiment.plate,
            settings=experiment.settings
            or {"analysis": experiment.analysis.model_dump(mode="json")},
            versions={name: version(name) for name in _RECORDED_VERSIONS},
        )
        path = _free_path(self._store) if self.runs else self._store
        return self._add(
            LiveRun(path, plan, expected, budget_bytes=experiment.budget_bytes)
        )

    def _add(self, run: LiveRun) -> LiveRun:
        self.runs.append(run)
        return run


def _free_path(path: Path) -> Path:
    stem = path.name.removesuffix(".ome.zarr")
    return next(
        candidate
        for number in range(2, 10_000)
        if not (candidate := path.with_name(f"{stem}-{number}.ome.zarr")).exists()
    )
