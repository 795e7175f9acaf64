"""The figures of docs/reliability.md: many kills, and ten thousand frames in flat memory.

    python benchmarks/reliability.py [--kills 50] [--frames 10000] [--folder FOLDER]

Kills an acquisition, then a worker, at random moments while a reader polls the store; then
lets one process write and another read a run of many frames and watches their memory.
The same with small numbers is in tests/reliability.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from kills import kill_again_and_again
from long_run import memory_of_a_long_run


def main() -> None:
    """Print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="Where the runs are made.")
    arguments = parser.parse_args()
    for victim in ("acquire", "analyse"):
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            n_frames = 100 * arguments.kills
            print(victim, kill_again_and_again(
                victim, Path(folder), n_kills=arguments.kills, n_frames=n_frames
            ), flush=True)  # fmt: skip
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        print(memory_of_a_long_run(Path(folder), arguments.frames))


if __name__ == "__main__":
    main()
