"""File systems of a few megabytes, mounted for one test, where the machine allows it."""

from __future__ import annotations

import array
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2
"""What is not on the disk at this moment never gets there."""


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount an ext4 file system of this size; the test is skipped where that is refused."""
    image, place = folder / "disk.img", folder / "disk"
    if not place.exists():
        place.mkdir()
        with image.open("wb") as file:
            file.truncate(megabytes * 2**20)
        _or_skip("mkfs.ext4", "-q", "-m", "0", str(image))
    _or_skip("mount", "-o", "loop", str(image), str(place))
    try:
        yield place
    finally:
        _unmount(place)


def cut_the_power(place: Path) -> None:
    """Let a mounted file system end as in a power cut: nothing more gets to its disk.

    The kernel drops all that waits in memory, journal included (ext4's shutdown).
    """
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, array.array("I", [NO_LOG_FLUSH]))
    except OSError as error:
        pytest.skip(f"no file system can be shut down here: {error}")
    finally:
        os.close(descriptor)


@contextmanager
def ballast(place: Path, *, leaving_bytes: int) -> Iterator[None]:
    """Fill a file system up, and make room again."""
    file = place / "ballast"
    with file.open("wb") as filling, suppress(OSError):
        while (free := shutil.disk_usage(place).free) > leaving_bytes:
            filling.write(bytes(min(2**16, free - leaving_bytes)))
            filling.flush()
    try:
        yield
    finally:
        file.unlink()


def _or_skip(*command: str) -> None:
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not allowed or not there")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{' '.join(command)}: {done.stderr.strip()}")


def _unmount(place: Path) -> None:
    for _ in range(100):
        if subprocess.run(["umount", str(place)], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "-l", str(place)], check=True)
