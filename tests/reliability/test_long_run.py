"""A long run needs no more memory than a short one."""

from __future__ import annotations

from pathlib import Path

from long_run import memory_of_a_long_run

ALLOWED_MB = 40.0
"""Growth over the last four fifths of the frames."""


def test_writing_and_reading_many_frames_takes_no_more_memory(tmp_path: Path) -> None:
    memory = memory_of_a_long_run(tmp_path, 200)
    assert memory.faults == ()
    for early, late in (memory.writer, memory.worker, memory.reader):
        assert 0 < late < early + ALLOWED_MB
