"""What a rule has acquired in between leaves the microscope as it found it."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from useq import MDASequence

from samcell_live.microscope.errands import ExtraSequence
from samcell_live.microscope.monitor import Monitor
from samcell_live.microscope.simulated import simulated_core
from samcell_live.settings import SimulatedMicroscope

NUCLEI = MDASequence(channels=[{"config": "nuclei", "exposure": 50}])


class Listening:
    """Hears of extra sequences."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def extra_started(self, sequence: MDASequence, summary: Any) -> None:
        self.heard.append("started")

    def sequence_finished(self, sequence: MDASequence) -> None:
        self.heard.append("finished")


@pytest.fixture
def core() -> Iterator[Any]:
    core = simulated_core(SimulatedMicroscope(image_height_px=96, image_width_px=128))
    core.setConfig("Channel", "phase")
    core.setExposure(10)
    core.setXYPosition(100, 200)
    core.setZPosition(3)
    yield core
    core.unloadAllDevices()


def errand(core: Any, told: list[Exception | None]) -> tuple[ExtraSequence, Listening]:
    listening = Listening()
    extra = ExtraSequence(core, cast("Monitor", listening), NUCLEI, told.append)
    return extra, listening


def state(core: Any) -> tuple[object, ...]:
    where = (*core.getXYPosition(), core.getZPosition())
    return (core.getCurrentConfig("Channel"), core.getExposure(), *where)


def change_everything(core: Any) -> None:
    core.setConfig("Channel", "nuclei")
    core.setExposure(50)
    core.setXYPosition(0, 0)
    core.setZPosition(9)


def test_the_microscope_is_put_back_after_an_extra_sequence(core: Any) -> None:
    told: list[Exception | None] = []
    extra, listening = errand(core, told)
    before = state(core)
    assert len(extra.begin()) == 1
    change_everything(core)
    extra.end()
    assert state(core) == before == ("phase", 10, 100, 200, 3)
    assert (listening.heard, told) == (["started", "finished"], [None])


def test_a_microscope_that_cannot_be_put_back_is_reported(
    core: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Exception | None] = []
    extra, _ = errand(core, told)
    extra.begin()
    change_everything(core)

    def stuck(position_um: float) -> None:
        raise RuntimeError("focus is locked")

    monkeypatch.setattr(core, "setZPosition", stuck)
    extra.end()
    assert [str(one) for one in told] == ["None", "focus is locked"]
    assert state(core)[:2] == ("phase", 10)
