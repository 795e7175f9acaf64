"""Listening to pymmcore-plus without ever disturbing it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol, TypeAlias

from useq import MDAEvent, MDASequence

from samcell_live.records import Pixels

logger = logging.getLogger(__name__)

Metadata: TypeAlias = Mapping[str, Any]


class Listener(Protocol):
    """What can be told of an acquisition."""

    def sequence_started(self, sequence: MDASequence, summary: Metadata) -> None:
        """Prepare for a sequence; no frame comes before this returns."""

    def awaiting_event(self, event: MDAEvent, remaining_s: float) -> None:
        """Know that nothing is due for so long. Runs in the camera's thread."""

    def frame_ready(self, image: Pixels, event: MDAEvent, metadata: Metadata) -> None:
        """Take one frame. Runs in the camera's thread."""

    def sequence_finished(self, sequence: MDASequence) -> None:
        """Know that no more frames come."""


class Tap:
    """Connects a listener to the events of a running or future acquisition.

    psygnal skips every listener after one that raises, so ours comes first (priority)
    and never raises: what goes wrong is logged and kept in `errors`. Qt would run a plain
    function in the window's thread, so it is connected directly. Both keep only
    weak references to methods; this object holds the strong ones.
    """

    def __init__(self, events: Any, listener: Listener) -> None:
        self.errors: list[str] = []
        self._lock = threading.Lock()
        self._connected: list[tuple[Any, Callable[..., None]]] = []
        for signal, method in (
            (events.sequenceStarted, listener.sequence_started),
            (events.awaitingEvent, listener.awaiting_event),
            (events.frameReady, listener.frame_ready),
            (events.sequenceFinished, listener.sequence_finished),
        ):
            self._connect(signal, self._guarded(method))

    def disconnect(self) -> None:
        """Stop listening."""
        while self._connected:
            signal, slot = self._connected.pop()
            signal.disconnect(slot)

    def _connect(self, signal: Any, slot: Callable[..., None]) -> None:
        if hasattr(signal, "emit") and "psygnal" in type(signal).__module__:
            signal.connect(slot, check_nargs=False, priority=100)
        else:
            # Only where pymmcore-plus itself runs on Qt, and so with the user's binding.
            qt = import_module("qtpy.QtCore").Qt
            signal.connect(slot, qt.ConnectionType.DirectConnection)
        self._connected.append((signal, slot))

    def _guarded(self, method: Callable[..., None]) -> Callable[..., None]:
        def slot(*arguments: Any) -> None:
            try:
                method(*arguments)
            except Exception as error:  # the camera never sees our exceptions
                logger.exception("samcell_live could not handle %s", method.__name__)
                with self._lock:
                    self.errors.append(
                        f"{method.__name__}: {type(error).__name__}: {error}"
                    )

        return slot
