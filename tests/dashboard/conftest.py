"""Runs that a test lets grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from growing_run import Begin, GrowingRun, begin_run


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Begin a run in the test's own folder."""

    def make(*sizes: int, name: str = "run", **changes: Any) -> GrowingRun:
        return begin_run(tmp_path / f"{name}.ome.zarr", *sizes, **changes)

    return make
