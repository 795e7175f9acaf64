"""What a rule has done between two scans: a preset set, something else acquired."""

from __future__ import annotations

import logging
from typing import Any

from useq import MDAEvent, MDASequence

from samcell_live.microscope.focus import stacked_from, without_plate_z
from samcell_live.microscope.monitor import Monitor
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


class ExtraSequence:
    """Acquires a sequence into a run of its own."""

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
        self._has_begun = False

    def begin(self) -> list[MDAEvent]:
        """Make its run."""
        try:
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
        self._has_begun = True
        self.report(None)
        return list(self._sequence)

    def end(self) -> None:
        """Record that its run is over."""
        if self._has_begun:
            self._listening.sequence_finished(self._sequence)
