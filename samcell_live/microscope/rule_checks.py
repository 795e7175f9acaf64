"""Rules that could not be followed are refused before the first frame."""

from __future__ import annotations

from collections.abc import Sequence

from pymmcore_plus import CMMCorePlus
from useq import MDASequence

from samcell_live.microscope.groups import positions_by_name
from samcell_live.microscope.planning import refuse_unknown_channels
from samcell_live.microscope.steering import refuse_unsteerable
from samcell_live.rules import ALL, EACH, AcquireOnce, Preset, Rule, SetPreset


def refuse_impossible_rules(
    rules: Sequence[Rule], core: CMMCorePlus, sequence: MDASequence, channel: str | None
) -> None:
    """See that each rule is about something that is there.

    Parameters
    ----------
    rules : sequence of Rule
    core : pymmcore_plus.CMMCorePlus
        With its configuration loaded.
    sequence : useq.MDASequence
        What the run acquires.
    channel : str or None
        The one with the cells, if it is named.

    Raises
    ------
    ValueError
        If a rule names a group, preset or channel that is not there, or there is no time
        between scans in which it could act.
    """
    if rules:
        refuse_unsteerable(sequence)
    for rule in rules:
        known = [ALL, EACH, *positions_by_name(sequence)]
        if rule.when.group not in known:
            raise ValueError(
                f"The rule {rule.title!r} is about the group {rule.when.group!r}, but "
                f"there are: {', '.join(known)}. Name one of these."
            )
        if isinstance(rule.then, SetPreset):
            _refuse_preset(rule, rule.then.preset, core, sequence)
        if isinstance(rule.then, AcquireOnce):
            _refuse_extra(rule, rule.then.sequence, core, channel)


def _refuse_preset(
    rule: Rule, preset: Preset, core: CMMCorePlus, sequence: MDASequence
) -> None:
    groups = core.getAvailableConfigGroups()
    names = core.getAvailableConfigs(preset.group) if preset.group in groups else ()
    if preset.name not in names:
        there = ", ".join(names) or f"no such group; groups are: {', '.join(groups)}"
        raise ValueError(
            f"The rule {rule.title!r} asks for the preset {preset.name!r} of the group "
            f"{preset.group!r}, which has: {there}."
        )
    if preset.group in {channel.group for channel in sequence.channels}:
        raise ValueError(
            f"The rule {rule.title!r} sets the group {preset.group!r}, but the sequence "
            "sets it anew for every frame. Use a rule with a sequence instead."
        )


def _refuse_extra(
    rule: Rule, extra: MDASequence, core: CMMCorePlus, channel: str | None
) -> None:
    refuse_unknown_channels(core, extra)
    names = [one.config for one in extra.channels]
    if not names or (channel is not None and channel not in names):
        raise ValueError(
            f"The sequence of the rule {rule.title!r} has the channels "
            f"{', '.join(names) or 'none'}, but cells are looked for in "
            f"{channel or 'its first one'}. Add that channel, so that its cells are found."
        )
