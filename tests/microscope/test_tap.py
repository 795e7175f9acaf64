"""The tap hears everything, keeps quiet and is not put off by others."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import useq
from psygnal import EmitLoopError
from pymmcore_plus.mda.events import MDASignaler

from samcell_live.microscope.tap import Tap

SEQUENCE = useq.MDASequence(channels=["phase"])
EVENT = useq.MDAEvent(index={"t": 4})
IMAGE = np.full((4, 6), 7, np.uint16)


class Notebook:
    """Remembers what it is told, and fails if told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.heard: list[Any] = []
        self._fails = fails

    def sequence_started(self, sequence: Any, summary: Any) -> None:
        self._hear("started")

    def awaiting_event(self, event: Any, remaining_s: float) -> None:
        self._hear(remaining_s)

    def frame_ready(self, image: Any, event: Any, metadata: Any) -> None:
        self._hear(int(image[0, 0]))

    def sequence_finished(self, sequence: Any) -> None:
        self._hear("finished")

    def _hear(self, what: Any) -> None:
        self.heard.append(what)
        if self._fails:
            raise RuntimeError("disk on fire")


def play(events: Any) -> None:
    events.sequenceStarted.emit(SEQUENCE, {})
    events.awaitingEvent.emit(EVENT, 2.5)
    events.frameReady.emit(IMAGE, EVENT, {})
    events.sequenceFinished.emit(SEQUENCE)


def test_all_of_a_sequence_is_heard() -> None:
    events, notebook = MDASignaler(), Notebook()
    tap = Tap(events, notebook)
    play(events)
    assert notebook.heard == ["started", 2.5, 7, "finished"]
    assert tap.errors == []


def test_our_exceptions_stay_with_us() -> None:
    events, notebook, others = MDASignaler(), Notebook(fails=True), []
    tap = Tap(events, notebook)
    events.frameReady.connect(lambda *arguments: others.append("frame"))
    play(events)
    assert others == ["frame"]
    assert tap.errors[2] == "frame_ready: RuntimeError: disk on fire"


def test_a_peer_that_raises_does_not_starve_us() -> None:
    events, notebook = MDASignaler(), Notebook()

    def raises(*arguments: Any) -> None:
        raise ValueError("peer")

    events.frameReady.connect(raises)
    tap = Tap(events, notebook)
    with pytest.raises(EmitLoopError):
        events.frameReady.emit(IMAGE, EVENT, {})
    assert notebook.heard == [7]
    assert tap.errors == []


def test_after_disconnecting_nothing_is_heard() -> None:
    events, notebook = MDASignaler(), Notebook()
    Tap(events, notebook).disconnect()
    play(events)
    assert notebook.heard == []


ON_QT = """
import threading
import numpy as np
from pymmcore_plus.mda.events import QMDASignaler
from PySide6.QtCore import QCoreApplication
from samcell_live.microscope.tap import Tap

class Notebook:
    def __init__(self):
        self.threads = []
    def hear(self, *arguments):
        self.threads.append(threading.current_thread().name)
    sequence_started = awaiting_event = frame_ready = sequence_finished = hear

application = QCoreApplication([])
events, notebook = QMDASignaler(), Notebook()
tap = Tap(events, notebook)
def acquire():
    for _ in range(3):
        events.frameReady.emit(np.zeros((4, 6), np.uint16), None, {})
def heard():  # the window's thread is here meanwhile, and in no event loop
    camera = threading.Thread(target=acquire, name="camera")
    camera.start()
    camera.join()
    return notebook.threads
assert heard() == ["camera"] * 3, notebook.threads
tap.disconnect()
assert len(heard()) == 3, notebook.threads
"""


def test_a_core_on_qt_is_heard_in_the_cameras_thread() -> None:
    pytest.importorskip("PySide6", reason="the dev extra brings it")
    subprocess.run([sys.executable, "-c", ON_QT], check=True)
