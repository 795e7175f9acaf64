"""Networks small enough for tests, with random but fixed weights."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from samcell_live.segmentation.formats import write_starter
from samcell_live.segmentation.headers import StarterHeader
from samcell_live.segmentation.network import SamArchitecture, SamcellNetwork
from samcell_live.segmentation.starter import StarterNetwork

TINY_CHANNELS = (4, 6, 8)
TINY_SAM = SamArchitecture(
    width=32, depth=2, heads=2, mlp_ratio=2.0, window=3, global_blocks=(1,), grid=4
)
"""Sees tiles of 16 pixels, enlarged to 64."""


def starter_header(**changes: object) -> StarterHeader:
    fields: dict[str, object] = {
        "channels": TINY_CHANNELS,
        "peak_threshold": 0.6,
        "fill_threshold": 0.2,
        "cell_diameter_px": 20.0,
        "package": "samcell_live 0",
        "trained_on": ("nothing",),
        "steps": 0,
        "settings": {"seed": 1},
    }
    return StarterHeader.model_validate(fields | changes)


@pytest.fixture
def tiny_sam() -> dict[str, Tensor]:
    """State dict of a reduced SAM."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = SamcellNetwork(TINY_SAM)
        for parameter in network.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
        return network.state_dict()


@pytest.fixture
def tiny_starter(tmp_path: Path) -> Path:
    """Weights file of a reduced starter network."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = StarterNetwork(TINY_CHANNELS)
    path = tmp_path / "tiny.safetensors"
    write_starter(path, network.state_dict(), starter_header())
    return path


@pytest.fixture
def compiler() -> None:
    """For tests of torch.compile, which writes C++; skipped where nothing translates it."""
    names = (os.environ.get("CXX"), "g++", "clang++", "cl")
    if not any(name and shutil.which(name) for name in names):
        pytest.skip("torch.compile needs a C++ compiler (g++, clang++ or cl), or CXX set")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch with one thread, so that a CPU takes a batch as a GPU does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
