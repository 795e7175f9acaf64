"""Errors after which a GPU computes no more in this process."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

import torch

logger = logging.getLogger(__name__)

EXIT_CODE = 1

_ACCELERATOR_ERROR: tuple[type[Exception], ...] = (
    (torch.AcceleratorError,) if hasattr(torch, "AcceleratorError") else ()
)
_SAID_OF_A_LOST_DEVICE = ("CUDA error", "CUDNN_STATUS_EXECUTION_FAILED", "HIP error")


def device_is_lost(error: BaseException) -> bool:
    """Whether every later call to the GPU will fail, too, until a new process asks.

    Too little memory is none of these: it may be there for the next frame.

    Examples
    --------
    >>> device_is_lost(RuntimeError("CUDA error: an illegal memory access was encountered"))
    True
    >>> device_is_lost(torch.OutOfMemoryError("CUDA out of memory."))
    False
    """
    if isinstance(error, torch.OutOfMemoryError):
        return False
    if isinstance(error, _ACCELERATOR_ERROR):
        return True
    said = str(error)
    if isinstance(error, RuntimeError) and any(s in said for s in _SAID_OF_A_LOST_DEVICE):
        return True
    return error.__cause__ is not None and device_is_lost(error.__cause__)


def end_at_once(error: BaseException) -> NoReturn:
    """End this process as a crash would: tidying up after a lost GPU may hang.

    The frames in hand are then known to be those that a worker died on, and a new worker
    is started by whoever supervises.
    """
    logger.error("The GPU is lost; a new process is needed", exc_info=error)
    sys.stderr.write(f"The GPU is lost: {error}\n")
    sys.stderr.flush()
    os._exit(EXIT_CODE)
