"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# pymmcore-plus would set the root logger and open a log file in the user's folder.
os.environ.setdefault("PYTEST_RUNNING", "1")
os.environ.setdefault("PYMM_LOG_FILE", "0")
if "PYTEST_XDIST_WORKER" in os.environ:
    # One test per core: threads that wait for each other's cores spin.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real microscopy images; the test is skipped where it is absent."""
    default = Path(__file__).parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("SAMCELL_LIVE_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set SAMCELL_LIVE_TEST_DATA to its folder")
    return folder
