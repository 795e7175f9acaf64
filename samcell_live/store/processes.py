"""Who works on a run: heartbeat, health and lock of each process.

Each role (``acquisition``, ``analysis-<name>``) has one group in the store whose
attributes its owner rewrites every second. That record is the lock, too: a second
process that asks for the same role is refused while the first is heard of.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

import psutil

from samcell_live.store import layout
from samcell_live.store.arrays import read_attributes, write_group

logger = logging.getLogger(__name__)

State: TypeAlias = Literal["running", "finished", "cancelled", "failed"]

ACQUISITION = "acquisition"
HEARTBEAT_S = 1.0
STALE_AFTER_S = 15.0
"""A process of another host that is not heard of for this long has died."""

Health: TypeAlias = Mapping[str, float | str | None]


def number(health: Health, name: str) -> float:
    """Figure of that name, 0 where it is not known."""
    value = health.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def analysis_role(name: str) -> str:
    """Role of the worker of one analysis."""
    return f"analysis-{name}"


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What a process says of itself."""

    state: State
    host: str
    pid: int
    started_s: float
    """Seconds since 1970, UTC."""
    heartbeat_s: float
    """Seconds since 1970, UTC."""
    message: str = ""
    health: Health = field(default_factory=dict)
    token: str = ""
    """Differs for each process that ever had the role."""

    def is_stale(self, now_s: float) -> bool:
        """Whether the process ended without saying so.

        On this computer the process itself is looked for, since a heart may stop for a
        while (sleep, a slow share). Of another computer only the heartbeat is known.
        """
        if self.state != "running":
            return False
        if self.host != socket.gethostname():
            return now_s - self.heartbeat_s > STALE_AFTER_S
        try:
            began_s = psutil.Process(self.pid).create_time()
        except psutil.NoSuchProcess:
            return True
        is_another_process = began_s > self.heartbeat_s + STALE_AFTER_S
        return is_another_process

    def is_alive(self, now_s: float) -> bool:
        """Whether the process is at work."""
        return self.state == "running" and not self.is_stale(now_s)


class RoleTakenError(RuntimeError):
    """Another live process has this role in this run."""


def read_process(path: Path, role: str) -> ProcessState | None:
    """Last record of a role, or None if nobody has had it yet."""
    try:
        attributes: dict[str, Any] = read_attributes(path / layout.process(role))
    except FileNotFoundError:
        return None
    return ProcessState(**attributes)


def refuse_taken(path: Path, role: str) -> ProcessState | None:
    """See that a role is free; gives the record of who had it last.

    Raises
    ------
    RoleTakenError
        If a live process has it.
    """
    now_s = time.time()
    previous = read_process(path, role)
    if previous is not None and previous.is_alive(now_s):
        raise RoleTakenError(
            f"The {role} of {path} is in the hands of process {previous.pid} on "
            f"{previous.host}, heard of {now_s - previous.heartbeat_s:.0f} s ago. "
            "Wait until it ends, or end it."
        )
    return previous


class ProcessRecord:
    """Takes a role in a run, keeps its heartbeat going and gives it back.

    Use it as a context manager: leaving it writes how the process ended, and an
    exception that passes through is written as the reason of a failure.
    """

    def __init__(self, path: Path, role: str, health: Callable[[], Health] = dict) -> None:
        """Take the role.

        Parameters
        ----------
        path : Path
            The run store.
        role : str
            `ACQUISITION` or `analysis_role(name)`.
        health : callable
            Asked at each heartbeat for the figures to write.

        Raises
        ------
        RoleTakenError
            If a live process has it.
        """
        self._path, self._role = path, role
        self._group = path / layout.process(role)
        now = time.time()
        previous = refuse_taken(path, role)
        self.previous = previous
        """Record of the process that had the role before, or None."""
        if previous is not None and previous.state == "running":
            logger.warning(
                "Taking over the %s of %s: process %d on %s died.",
                role, path, previous.pid, previous.host,
            )  # fmt: skip
        self._state = ProcessState(
            "running", socket.gethostname(), os.getpid(), now, now, token=uuid.uuid4().hex
        )
        self._health = health
        self._one_write_at_a_time = threading.Lock()
        self._write()
        self._ended = threading.Event()
        self._beat = threading.Thread(
            target=self._keep_beating, name=f"{role}-heartbeat", daemon=True
        )
        self._beat.start()

    def write_now(self) -> None:
        """Write the record at once instead of with the next heartbeat.

        Raises
        ------
        RoleTakenError
            If another process took the role over meanwhile.
        """
        owner = read_process(self._path, self._role)
        if owner is not None and owner.token != self._state.token:
            raise RoleTakenError(
                f"The {self._role} of {self._path} was taken over by process {owner.pid} "
                f"on {owner.host}."
            )
        self._write()

    def end(self, state: State, message: str = "") -> None:
        """Give the role back, and say how the process ended. The first word stands."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._beat.join()
        self._state = replace(self._state, state=state, message=message)
        try:
            self.write_now()
        except (OSError, RoleTakenError):  # the disk is full or away, or it is not ours
            logger.warning("The end of this process is not recorded", exc_info=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.end("finished")
        elif isinstance(error, KeyboardInterrupt):
            self.end("cancelled", "stopped from the keyboard")
        else:
            self.end("failed", f"{type(error).__name__}: {error}")

    def _keep_beating(self) -> None:
        while not self._ended.wait(HEARTBEAT_S):
            try:
                self.write_now()
            except OSError:  # the disk may come back; the run itself goes on
                logger.warning("No heartbeat in %s", self._group, exc_info=True)
            except RoleTakenError:  # whoever works is told by its own call
                logger.warning("No more heartbeats in %s", self._group, exc_info=True)
                return

    def _write(self) -> None:
        with self._one_write_at_a_time:
            self._state = replace(
                self._state, heartbeat_s=time.time(), health=dict(self._health())
            )
            if not self._path.is_dir():  # it would be made anew
                raise FileNotFoundError(f"{self._path} is there no more.")
            write_group(self._group, asdict(self._state))
