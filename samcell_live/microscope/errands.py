"""What a rule has done between two scans: a preset set, something else acquired."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

from useq import MDAEvent, MDASequence

from samcell_live.microscope.focus import stacked_from, without_plate_z
from samcell_live.microscope.monitor import NO_DISTANCE_UM, Monitor
from samcell_live.microscope.steering import Report
from samcell_live.rules import Preset

logger = logging.getLogger(__name__)


def at_positions(
    extra: MDASequence, sequence: MDASequence, members: set[int]
) -> MDASequence:
    """Let a sequence without positions of its own visit those of a group."""
    extra, _ = without_plate_z(extra)
    if extra.stage_positions or not sequence.stage_positions:
        return extra
    positions = list(sequence.stage_positions)
    return extra.replace(stage_positions=[positions[p] for p in sorted(members)])


class PresetChange:
    """Puts the microscope into a named state."""

    def __init__(self, core: Any, preset: Preset, report: Report) -> None:
        self.report = report
        self._core, self._preset = core, preset

    def begin(self) -> list[MDAEvent]:
        """Set it."""
        try:
            self._core.setConfig(self._preset.group, self._preset.name)
        except Exception as error:  # the acquisition goes on as it was
            logger.debug("A rule could not be followed", exc_info=True)
            self.report(error)
        else:
            self.report(None)
        return []

    def end(self) -> None:
        """It is done at once."""


class _State:
    """What of a microscope a sequence changes, as it is now.

    The events of another sequence need not say all of it: one without an exposure is
    exposed as long as the frame before.
    """

    def __init__(self, core: Any, sequence: MDASequence) -> None:
        self._core = core
        groups = {channel.group for channel in sequence.channels}
        self._presets = {group: core.getCurrentConfig(group) for group in groups}
        self._exposure_ms = core.getExposure()
        self._z_um = core.getZPosition() if core.getFocusDevice() else None
        self._xy_um = core.getXYPosition() if core.getXYStageDevice() else None

    def restore(self) -> None:
        """Put everything back; what might be stuck comes last."""
        core = self._core
        for group, preset in self._presets.items():
            if preset:
                core.setConfig(group, preset)
        core.setExposure(self._exposure_ms)  # after the presets, which may hold another
        if self._z_um is not None and _has_moved([self._z_um], [core.getZPosition()]):
            core.setZPosition(self._z_um)  # before the stage: it is safe where it was
        if self._xy_um is not None and _has_moved(self._xy_um, core.getXYPosition()):
            core.setXYPosition(*self._xy_um)


def _has_moved(there_um: Sequence[float], here_um: Sequence[float]) -> bool:
    return math.dist(there_um, here_um) > NO_DISTANCE_UM


class ExtraSequence:
    """Acquires a sequence into a run of its own, and leaves the microscope as it was."""

    def __init__(
        self,
        core: Any,
        listening: Monitor,
        sequence: MDASequence,
        report: Report,
    ) -> None:
        self._core, self._listening = core, listening
        self._sequence = sequence
        self.report = report
        self._before: _State | None = None

    def begin(self) -> list[MDAEvent]:
        """Make its run."""
        try:
            before = _State(self._core, self._sequence)
            if self._core.getFocusDevice():
                self._sequence = stacked_from(self._sequence, self._core.getZPosition())
            summary = self._core.mda.engine.get_summary_metadata(
                mda_sequence=self._sequence
            )
            self._listening.extra_started(self._sequence, summary)
        except Exception as error:  # the acquisition goes on as it was
            logger.debug("A rule could not be followed", exc_info=True)
            self.report(error)
            return []
        self._before = before
        self.report(None)
        return list(self._sequence)

    def end(self) -> None:
        """Record that its run is over, and put the microscope back."""
        if self._before is None:
            return
        self._listening.sequence_finished(self._sequence)
        try:
            self._before.restore()
        except Exception as error:  # the acquisition goes on
            logger.debug("The microscope could not be put back", exc_info=True)
            self.report(error)
