"""What is claimed of the layout, seen from a fresh interpreter.

import-linter reads what our files import; this sees what is loaded in the end, through
the libraries as well.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

MICROSCOPE = {"pymmcore_plus", "samcell_live.microscope"}
STORE = {"tensorstore", "zarr", "samcell_live.store"}
TORCH = {"torch", "segment_anything", "samcell_live.segmentation"}
WEB = {"dash", "flask", "waitress", "samcell_dashboard"}

SLOW = {"ome_types", "scipy.stats", "torch._dynamo", "torchvision"}
"""Seconds to import, and no part of what a reader or a worker with the starter does."""

LOADED = "import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"


def loaded_by(module: str) -> set[str]:
    """Name every module that is there after importing one in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(module=module)],
        capture_output=True,
        check=True,
        text=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("samcell_live", MICROSCOPE | STORE | TORCH | WEB),
        ("samcell_live.segmentation.segmenter", MICROSCOPE | STORE | WEB),
        ("samcell_live.culture.confluence", MICROSCOPE | STORE | TORCH | WEB),
        ("samcell_live.store.reader", MICROSCOPE | TORCH | WEB | SLOW),
        ("samcell_live.recordings", MICROSCOPE | TORCH | WEB),
        ("samcell_live.simulation.rendering", MICROSCOPE | STORE | TORCH | WEB),
        ("samcell_live.analysis.worker", MICROSCOPE | WEB | SLOW),
        ("samcell_live.cli", MICROSCOPE | WEB | SLOW | {"torch"}),
        ("samcell_dashboard.app", MICROSCOPE | TORCH | SLOW),
    ],
)
def test_a_part_loads_nothing_that_it_does_not_need(
    module: str, unwanted: set[str]
) -> None:
    loaded = loaded_by(module)
    assert module in loaded
    assert loaded & unwanted == set()
