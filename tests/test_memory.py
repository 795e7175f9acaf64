"""Memory of images that are done with serves the next ones."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from samcell_live.memory import reuse_freed_memory

IMAGES = """
import resource, sys
from samcell_live.memory import reuse_freed_memory

if sys.argv[1] == "reused":
    assert reuse_freed_memory()

def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def three_in_hand():
    images = [bytearray(b"x") * 3_000_000 for _ in range(3)]

three_in_hand()
before = pages()
for _ in range(20):
    three_in_hand()
print(pages() - before)
"""


def pages_taken(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", IMAGES, how], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries differ")
def test_memory_of_images_is_taken_from_the_system_once() -> None:
    assert pages_taken("reused") < pages_taken("as usual") / 10


@pytest.mark.skipif(platform.libc_ver()[0] == "glibc", reason="it has these options")
def test_elsewhere_nothing_is_done() -> None:
    assert not reuse_freed_memory()
