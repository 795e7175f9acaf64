"""Every figure that needs a GPU, in one call.

    python benchmarks/gpu.py [--side-px 2048] [--frames 8] [--skip-compile]

Frames of a simulated culture go through ViT-B as a stream, in every precision, compiled
and not, beside the package samcell 1.2.0 (or its method with transformers) on one of
them. Printed for each: seconds a frame, how many times the package's speed, its share of
the floor (what the operations that a frame needs take at the rate of a large matrix
product), how far its map is from float32, cells beside float32's, and the peak of memory.
`benchmarks/network.py --device cuda` then takes the network by itself.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from network import machine, matrix_rate, tile_operations, wait
from reference import their_pipeline, usual_folder

from samcell_live.records import Segmentation
from samcell_live.segmentation.reference import GreyBytes
from samcell_live.segmentation.segmenter import Segmenter

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from seeing_sam import seeing_sam, simulated_field

PRECISIONS = ("float32", "bfloat16", "float16")


class Way(NamedTuple):
    """One way to segment frames, and how it did."""

    name: str
    frame_s: float
    warm_up_s: float
    floor_share: float
    peak_gib: float
    found: Segmentation


def stream(segmenter: Segmenter, frames: list[GreyBytes]) -> list[Segmentation]:
    """Segment all frames and wait for the device."""
    found = [segmentation for _, segmentation in segmenter.stream(frames)]
    wait(torch.device(segmenter.making.device))
    return found


def measure(
    weights: Path, frames: list[GreyBytes], precision: str, needed: float, *, compiled: bool
) -> Way:
    """Stream the frames through our segmenter."""
    segmenter = Segmenter.from_name(
        str(weights), DEVICE, precision=precision, compile=compiled
    )
    device = torch.device(DEVICE)
    started = time.perf_counter()
    stream(segmenter, frames[:1])
    warm_up_s = time.perf_counter() - started
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    found = stream(segmenter, frames)
    frame_s = (time.perf_counter() - started) / len(frames)
    n_tiles = segmenter.n_tiles(segmenter.prepare(frames[0]))
    floor_s = n_tiles * needed / matrix_rate(device, getattr(torch, precision))
    peak = torch.cuda.max_memory_allocated() if device.type == "cuda" else np.nan
    name = f"ours, {precision}{', compiled' if compiled else ''}"
    return Way(name, frame_s, warm_up_s, floor_s / frame_s, peak / 2**30, found[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--side-px", type=int, default=2048)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--skip-compile", action="store_true")
    parser.add_argument("--samcell-path", type=Path, default=usual_folder())
    chosen = parser.parse_args()

    print(f"{machine(torch.device(DEVICE))}, torch {torch.__version__}")
    image = simulated_field((chosen.side_px, chosen.side_px)).image
    frames = [np.ascontiguousarray(np.roll(image, 97 * i)) for i in range(chosen.frames)]
    model = seeing_sam()
    _, needed = tile_operations("vit_b")

    theirs = their_pipeline(model, chosen.samcell_path, DEVICE)
    theirs.run(image[:256, :256], return_dist_map=True)
    started = time.perf_counter()
    theirs.run(image, return_dist_map=True)
    their_s = time.perf_counter() - started
    print(f"samcell 1.2.0: {their_s:.2f} s a frame of {image.shape[0]} x {image.shape[1]}")

    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "sam.pt"
        torch.save(model.state_dict(), weights)
        ways = [
            measure(weights, frames, precision, needed, compiled=compiled)
            for compiled in ((False,) if chosen.skip_compile else (False, True))
            for precision in PRECISIONS
        ]
    exact = ways[0].found
    print("| | s a frame | times | of floor | off by | cells | peak GiB | first frame s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for way in ways:
        off = np.abs(way.found.distance - exact.distance).max()
        print(
            f"| {way.name} | {way.frame_s:.3f} | {their_s / way.frame_s:.1f} "
            f"| {way.floor_share:.0%} | {off:.1e} | {way.found.labels.max()} "
            f"| {way.peak_gib:.1f} | {way.warm_up_s:.1f} |",
            flush=True,
        )
    network = Path(__file__).with_name("network.py")
    compiling = [] if chosen.skip_compile else ["--compile", "max-autotune-no-cudagraphs"]
    subprocess.run([sys.executable, network, "--device", DEVICE, *compiling], check=True)


DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

if __name__ == "__main__":
    main()
