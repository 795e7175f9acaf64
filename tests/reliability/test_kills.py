"""Whoever is killed, at any moment: nothing is lost, torn or done twice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from kills import Victim, kill_again_and_again

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")


@pytest.mark.parametrize("victim", ["acquire", "analyse"])
def test_a_few_kills_cost_nothing(tmp_path: Path, victim: Victim) -> None:
    toll = kill_again_and_again(victim, tmp_path, n_kills=3, n_frames=150, seed=1)
    assert toll.kills > 0
    assert toll.looks > 1
    assert toll.faults == ()
    assert (toll.lost, toll.torn, toll.double) == (0, 0, 0)
