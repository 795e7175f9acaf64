"""Time the simulation: growing a well, rendering a field, drawing its truth.

OMP_NUM_THREADS=1 python benchmarks/simulation.py
"""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

import cv2

from samcell_live.simulation.culture import Culture
from samcell_live.simulation.rendering import (
    render_field,
    true_confluence,
    true_count,
    true_labels,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HOURS = (0, 12, 24, 36, 48, 60, 72)


def best_ms(work: Callable[[], object], repeats: int = 7) -> float:
    """Shortest time of a few runs, in milliseconds."""
    times_s = []
    for _ in range(repeats):
        start_s = perf_counter()
        work()
        times_s.append(perf_counter() - start_s)
    return 1000 * min(times_s)


def main() -> None:
    """Print a table in Markdown."""
    cv2.setNumThreads(1)
    grow_ms = best_ms(lambda: Culture().cell_count(0, 0, 72), repeats=3)
    print(f"A well of 72 h is grown in {grow_ms:.0f} ms.\n")
    culture = Culture()
    print("| hours | cells | confluence | phase, ms | nuclei, ms | truth, ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    for hours in HOURS:
        labels = true_labels(culture, 0, 0, hours)
        phase_ms = best_ms(partial(render_field, culture, 0, 0, 0, hours))
        nuclei_ms = best_ms(
            partial(render_field, culture, 0, 0, 0, hours, channel="nuclei")
        )
        truth_ms = best_ms(partial(true_labels, culture, 0, 0, hours))
        print(
            f"| {hours} | {true_count(labels)} | {true_confluence(labels):.2f} "
            f"| {phase_ms:.0f} | {nuclei_ms:.0f} | {truth_ms:.0f} |"
        )


if __name__ == "__main__":
    main()
