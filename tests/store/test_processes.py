"""One process has one role, says how it does, and a dead one is replaced."""

import os
import socket
import time
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from samcell_live.store import layout
from samcell_live.store.arrays import write_group
from samcell_live.store.processes import (
    STALE_AFTER_S,
    ProcessRecord,
    ProcessState,
    RoleTakenError,
    read_process,
)

NOBODY_PID = 2**22 + 1  # above Linux's largest


def state(path: Path) -> ProcessState:
    found = read_process(path, "worker")
    assert found is not None
    return found


def test_nobody_has_a_role_at_first(tmp_path: Path) -> None:
    assert read_process(tmp_path, "worker") is None


def test_a_process_that_ends_says_how(tmp_path: Path) -> None:
    with ProcessRecord(tmp_path, "worker", lambda: {"frames": 3}):
        assert state(tmp_path).is_alive(time.time())
        assert state(tmp_path).health == {"frames": 3}
    assert state(tmp_path).state == "finished"


def test_an_error_is_kept_as_the_reason(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="lens cap"),
        ProcessRecord(tmp_path, "worker"),
    ):
        raise RuntimeError("lens cap")
    assert state(tmp_path).state == "failed"
    assert state(tmp_path).message == "RuntimeError: lens cap"


def test_the_first_word_on_how_it_ended_stands(tmp_path: Path) -> None:
    with ProcessRecord(tmp_path, "worker") as record:
        record.end("cancelled", "by the user")
    assert state(tmp_path).state == "cancelled"


def test_a_role_is_taken_while_its_owner_lives(tmp_path: Path) -> None:
    with (
        ProcessRecord(tmp_path, "worker"),
        pytest.raises(RoleTakenError, match="in the hands of process"),
    ):
        ProcessRecord(tmp_path, "worker")
    with ProcessRecord(tmp_path, "worker"):
        pass


def test_the_role_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    with ProcessRecord(tmp_path, "worker"):
        running = state(tmp_path)
    killed = replace(running, state="running", pid=NOBODY_PID, health={"attempting": 7})
    write_group(tmp_path / layout.process("worker"), asdict(killed))
    assert killed.is_stale(time.time())
    with ProcessRecord(tmp_path, "worker") as record:
        assert record.previous == killed


def here(heartbeat_s: float) -> ProcessState:
    """A process of this computer with the number of the one that runs the tests."""
    return ProcessState(
        "running", socket.gethostname(), os.getpid(), heartbeat_s, heartbeat_s
    )


def test_a_process_whose_heart_stopped_for_a_while_is_not_dead() -> None:
    heartbeat_s = psutil.Process().create_time() + 1
    assert here(heartbeat_s).is_alive(now_s=heartbeat_s + 10 * STALE_AFTER_S)


def test_a_process_that_began_after_the_last_heartbeat_is_another() -> None:
    heartbeat_s = psutil.Process().create_time() - 2 * STALE_AFTER_S
    assert here(heartbeat_s).is_stale(now_s=heartbeat_s + 10 * STALE_AFTER_S)


def test_who_was_taken_over_is_told_and_writes_no_more(tmp_path: Path) -> None:
    with ProcessRecord(tmp_path, "worker") as record:
        usurper = replace(state(tmp_path), token="another")
        write_group(tmp_path / layout.process("worker"), asdict(usurper))
        with pytest.raises(RoleTakenError, match="was taken over by process"):
            record.write_now()
    assert state(tmp_path) == usurper


def test_a_process_of_another_computer_is_dead_once_its_heart_stops() -> None:
    now = time.time()
    far = ProcessState("running", "another-host", NOBODY_PID, now, now)
    assert far.is_alive(now + STALE_AFTER_S - 1)
    assert far.is_stale(now + STALE_AFTER_S + 1)
