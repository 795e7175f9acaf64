"""The starter beside SAMCell on a CPU: seconds for one image, and how many times faster.

    python benchmarks/starter_speed.py [--side-px 1024] [--repeats 3]

Both sides are our Segmenter in float32, watershed included, on one simulated field. For
SAMCell (ViT-B, random weights) one tile is timed and multiplied by the tiles of the image:
its time does not depend on what is in a tile.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from network import machine

from samcell_live.segmentation.segmenter import Segmenter

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from seeing_sam import seeing_sam, simulated_field


def seconds(segmenter: Segmenter, image: np.ndarray, repeats: int) -> tuple[float, float]:
    """Wall and processor seconds for an image: medians."""
    segmenter(image)
    taken = []
    for _ in range(repeats):
        before = time.perf_counter(), time.process_time()
        segmenter(image)
        taken.append((time.perf_counter() - before[0], time.process_time() - before[1]))
    wall, processor = zip(*taken, strict=True)
    return statistics.median(wall), statistics.median(processor)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--side-px", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    image = simulated_field((chosen.side_px, chosen.side_px)).image

    starter = Segmenter.from_name("starter", "cpu")
    starter_s = seconds(starter, image, chosen.repeats)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "sam.pt"
        torch.save(seeing_sam().state_dict(), weights)
        samcell = Segmenter.from_name(str(weights), "cpu")
    n_tiles = samcell.n_tiles(samcell.prepare(image))
    tile_s = seconds(samcell, image[:256, :256], chosen.repeats)

    print(machine(torch.device("cpu")))
    print(f"{chosen.side_px} x {chosen.side_px}, {starter(image).labels.max()} cells found")
    print(f"starter: {starter_s[0]:.2f} s ({starter_s[1]:.2f} s of processors)")
    print(f"SAMCell: {n_tiles} tiles of {tile_s[0]:.2f} s ({tile_s[1]:.2f} s)")
    ratios = [n_tiles * tile / whole for tile, whole in zip(tile_s, starter_s, strict=True)]
    print(
        f"the starter is {ratios[0]:.0f} times as fast ({ratios[1]:.0f} in processor time)"
    )


if __name__ == "__main__":
    main()
