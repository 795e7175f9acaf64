"""How the numbers were made, and how the processes that make them are."""

from __future__ import annotations

from typing import NamedTuple

from samcell_dashboard.snapshot import Snapshot
from samcell_dashboard.wording import amount
from samcell_live.store.processes import Health

MAX_FIRINGS = 5
"""The newest that rules did; the store has all."""


class Fact(NamedTuple):
    """A line of the run's health."""

    name: str
    value: str
    is_alarm: bool = False


def facts(snapshot: Snapshot) -> list[Fact]:
    """Say what made the results, how fast, and what went wrong on the way."""
    found = []
    if snapshot.making:
        made = snapshot.making
        found.append(Fact("Model", f"{made['model']}, network {made['network']}"))
        found.append(Fact("Computed on", f"{made['device']}, {made['precision']}"))
        weights = str(made["weights_sha256"])[:8]
        found.append(Fact("Made by", f"{made['package']}, weights {weights}"))
    crew = snapshot.vitals.crew
    worker = crew.worker.health if crew.worker else {}
    if isinstance(seconds := worker.get("seconds_per_frame"), int | float):
        found.append(Fact("Analysis", f"{seconds:.2f} s per frame"))
    recorder = crew.acquisition.health if crew.acquisition else {}
    newest = snapshot.firings[-MAX_FIRINGS:]
    fired = [
        Fact("Rule", str(one), is_alarm=bool(one.error) or one.action == "alert")
        for one in reversed(newest)
    ]
    return found + fired + _troubles(recorder)


def _troubles(recorder: Health) -> list[Fact]:
    found = []
    if lost := _number(recorder, "lost"):
        found.append(Fact("Lost", f"{amount(lost, 'frame')} could not be written", True))
    if slowed := _number(recorder, "written_in_place"):
        found.append(
            Fact("Disk too slow", f"the camera waited for {amount(slowed, 'frame')}", True)
        )
    if error := recorder.get("last_error"):
        found.append(Fact("Last error", str(error), True))
    return found


def _number(health: Health, name: str) -> int:
    value = health.get(name)
    return int(value) if isinstance(value, int | float) else 0
