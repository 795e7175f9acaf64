"""A GPU that is lost ends the process, so that a new one can go on."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from samcell_live.analysis.lost_device import device_is_lost

ILLEGAL = "CUDA error: an illegal memory access was encountered"


def test_a_frame_that_is_wrong_by_itself_loses_no_gpu() -> None:
    assert not device_is_lost(ValueError("CUDA error is what this image is called"))
    assert not device_is_lost(RuntimeError("shape mismatch"))


def test_too_little_memory_loses_no_gpu() -> None:
    assert not device_is_lost(torch.OutOfMemoryError("CUDA out of memory."))


def test_an_error_of_the_gpu_itself_does() -> None:
    assert device_is_lost(RuntimeError(ILLEGAL))


@pytest.mark.skipif(not hasattr(torch, "AcceleratorError"), reason="an older torch")
def test_an_error_of_the_gpu_itself_does_in_its_own_class() -> None:
    assert device_is_lost(torch.AcceleratorError("device-side assert triggered"))


def test_an_error_that_was_passed_on_does_too() -> None:
    error = RuntimeError("the network failed")
    error.__cause__ = RuntimeError(ILLEGAL)
    assert device_is_lost(error)


def test_the_process_ends_and_says_why() -> None:
    code = (
        "from samcell_live.analysis.lost_device import end_at_once\n"
        f"end_at_once(RuntimeError({ILLEGAL!r}))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1
    assert f"The GPU is lost: {ILLEGAL}" in ended.stderr
