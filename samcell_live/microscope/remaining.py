"""The rest of a sequence: the frames that a run which broke off has still to bring."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, SkipValidation
from useq import MDAEvent, MDASequence

from samcell_live.records import FrameKey
from samcell_live.settings import RunSettings
from samcell_live.store.reader import RunReader

_DUE_S = "samcell_live_due_s"
"""Key in the metadata of an event whose ``min_start_time`` counts from a later start."""


def due_s(event: MDAEvent) -> float:
    """Say when an event is to begin, in seconds on the clock of the whole sequence."""
    first = getattr(event, "events", [event])[0]  # all frames of a burst have one start
    return float(first.metadata.get(_DUE_S, first.min_start_time or 0.0))


def delayed(event: MDAEvent, by_s: float) -> MDAEvent:
    """Let an event begin this much later than it was planned, or sooner."""
    if not by_s:
        return event
    update: dict[str, object] = {"min_start_time": (event.min_start_time or 0.0) + by_s}
    if _DUE_S in event.metadata:
        update["metadata"] = {**event.metadata, _DUE_S: due_s(event) + by_s}
    return event.model_copy(update=update)


def beginning_at(event: MDAEvent, start_s: float, due: float) -> MDAEvent:
    """Let an event of another sequence begin at a time of the one that runs.

    Parameters
    ----------
    event : useq.MDAEvent
    start_s : float
        On the clock of what runs, which it does not set back.
    due : float
        The same time on the clock of the whole sequence; see `due_s`.
    """
    return event.model_copy(
        update={
            "min_start_time": start_s,
            "reset_event_timer": False,
            "metadata": {**event.metadata, _DUE_S: due},
        }
    )


@dataclass(frozen=True, slots=True)
class Rest:
    """How far a run has come."""

    store: Path
    missing: frozenset[FrameKey]
    """Events that are left; one event brings the frames of all cameras."""
    elapsed_s: Mapping[FrameKey, float]
    """When each event that is on disk was acquired, on the clock of the sequence."""
    clock_s: float
    """Seconds since the run began, in which it lay still included ..."""
    read_at_s: float
    """... at this reading of `time.perf_counter`."""


class RemainingSequence(MDASequence):
    """A sequence that brings only the frames that a run still lacks, each when it is due.

    Listeners see the whole sequence, with all its axes; iterating gives the events that
    are left. Time goes on meanwhile: what was due at hour 10 is due at hour 10 of the
    run, and what is overdue is acquired at once.
    """

    rest: Annotated[Rest, SkipValidation] = Field(exclude=True, repr=False)

    def clock_s(self) -> float:
        """Seconds since the run began."""
        return self.rest.clock_s + time.perf_counter() - self.rest.read_at_s

    def iter_events(self) -> Iterator[MDAEvent]:
        """Give the events that are left, with start times that count from now."""
        now_s, rest = self.clock_s(), self.rest
        fresh: list[MDAEvent] = []
        for number, stretch in enumerate(_stretches(super().iter_events())):
            left = [event for event in stretch if _key(event) in rest.missing]
            starts_s = [
                rest.elapsed_s[_key(event)] - (event.min_start_time or 0.0)
                for event in stretch
                if _key(event) in rest.elapsed_s
            ]
            if number == 0 or starts_s:
                start_s = min(starts_s, default=0.0)
                yield from (_counted_from(event, now_s - start_s) for event in left)
            else:
                fresh += left
        yield from fresh  # their clock begins with them


def remaining(store: str | Path) -> RemainingSequence:
    """Find out which frames a run still lacks.

    Raises
    ------
    ValueError
        If there is no run at `store`, or it does not say which sequence it acquired.
    """
    reader = RunReader(Path(store))
    plan = reader.plan
    if plan.source == "replay" or plan.is_open or plan.sequence is None:
        raise ValueError(
            f"{store} keeps no sequence that could be acquired further: it is a replay, or "
            "its events were made up while it ran."
        )
    frames = reader.frames()
    keys = [_event_key(plan.shape.key(slot)) for slot in frames.index]
    acquired = frames["acquired"].to_numpy()
    lacking = np.flatnonzero(frames["expected"].to_numpy() & ~acquired)
    elapsed_s = frames["elapsed_s"].to_numpy() / plan.time_scale
    rest = Rest(
        store=reader.path,
        missing=frozenset(keys[slot] for slot in lacking),
        elapsed_s={keys[slot]: float(elapsed_s[slot]) for slot in np.flatnonzero(acquired)},
        clock_s=_clock_s(reader, frames["time_s"].to_numpy(), elapsed_s),
        read_at_s=time.perf_counter(),
    )
    _refuse_other_frames(rest, MDASequence.model_validate(plan.sequence))
    return RemainingSequence.model_validate({**plan.sequence, "rest": rest})


def _refuse_other_frames(rest: Rest, sequence: MDASequence) -> None:
    unknown = rest.missing - {_key(event) for event in sequence}
    if unknown:
        raise ValueError(
            f"{rest.store} expects {min(unknown)}, which the sequence that it keeps does "
            "not bring. Acquire the rest as a run of its own."
        )


def _stretches(events: Iterable[MDAEvent]) -> Iterator[list[MDAEvent]]:
    """Split events where the clock of their start times begins again."""
    stretch: list[MDAEvent] = []
    for event in events:
        if event.reset_event_timer and stretch:
            yield stretch
            stretch = []
        stretch.append(event)
    yield stretch


def _counted_from(event: MDAEvent, start_s: float) -> MDAEvent:
    due = event.min_start_time or 0.0
    return beginning_at(event, due - start_s, due)


def _key(event: MDAEvent) -> FrameKey:
    return _event_key(FrameKey.from_index(event.index))


def _event_key(key: FrameKey) -> FrameKey:
    """One event brings the frames of all cameras."""
    return key._replace(cam=0)


def _clock_s(
    reader: RunReader, time_s: npt.NDArray[np.float64], elapsed_s: npt.NDArray[np.float64]
) -> float:
    """Seconds since the run began, by the last frame: the wall clock may have stepped."""
    now_s = time.time()
    if np.isnan(elapsed_s).all():
        return max(0.0, now_s - reader.plan.created.timestamp())
    last = int(np.nanargmax(elapsed_s))
    return float(elapsed_s[last]) + max(0.0, now_s - float(time_s[last]))


def settings_of(reader: RunReader) -> RunSettings:
    """Read back the configuration that a run was begun with.

    Raises
    ------
    ValueError
        If another program ran the microscope, so that the store does not know it.
    """
    if "microscope" not in reader.plan.settings:
        raise ValueError(
            f"{reader.path} was recorded beside a program of yours, so its microscope is "
            "not known here. Go on from there: core.run_mda(samcell_live.remaining(store)) "
            "inside samcell_live.monitor(core, store, resume=True)."
        )
    return RunSettings.model_validate(
        {**reader.plan.settings, "sequence": reader.plan.sequence}
    )
