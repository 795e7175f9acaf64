"""The SAM network against transformers', against float32 and against the machine's floor.

    python benchmarks/network.py [--device cpu|cuda] [--variant vit_b] [--tiles 1 8 32]

Random weights, spread so that attention is neither flat nor saturated. Printed for every
way to compute: milliseconds a tile, its ratio to transformers' default, its share of the
floor and the largest difference of its distance map from float32. The floor is what the
operations of a tile take at the rate of a large matrix product in the same precision.
transformers gets one tile at a time, as the reference implementation gives them.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from operations import VARIANTS, our_operations, sam_model, tile_operations
from torch import Tensor
from torch.nn import functional

from samcell_live.segmentation.conversion import from_hugging_face
from samcell_live.segmentation.encoder import IMAGENET_MEAN, IMAGENET_STD
from samcell_live.segmentation.network import SamcellNetwork

Predict = Callable[[Tensor], Tensor]
Clock = Callable[[], float]


@dataclass
class Way:
    """One way to compute the same maps, and what it took."""

    name: str
    predict: Predict
    dtype: torch.dtype
    n_tiles: int
    taken_s: list[float] = field(default_factory=list)
    difference: float = float("nan")
    peak_gib: float = float("nan")
    warm_up_s: float = float("nan")

    @property
    def tile_s(self) -> float:
        return statistics.median(self.taken_s) / self.n_tiles


def one_by_one(model: Any) -> Predict:
    """Predict as the reference does: enlarged, normalised, a tile at a time."""

    def predict(tiles: Tensor) -> Tensor:
        mean = tiles.new_tensor(IMAGENET_MEAN).view(3, 1, 1)
        std = tiles.new_tensor(IMAGENET_STD).view(3, 1, 1)
        maps = []
        for tile in tiles.split(1):
            enlarged = functional.interpolate(tile, scale_factor=4, mode="bilinear")
            answer = model(pixel_values=(enlarged - mean) / std, multimask_output=True)
            maps.append(answer.pred_masks[:, 0, :1])
        return torch.cat(maps)

    return predict


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def duration_s(
    work: Callable[[], object], device: torch.device, clock: Clock = time.perf_counter
) -> float:
    """Seconds until the device has done it."""
    wait(device)
    started = clock()
    work()
    wait(device)
    return clock() - started


def matrix_rate(
    device: torch.device, dtype: torch.dtype, clock: Clock = time.perf_counter
) -> float:
    """Operations a second of a large matrix product: the median of ten."""
    side = 8192 if device.type == "cuda" else 2048
    left, right = torch.randn(2, side, side, device=device).to(dtype)
    work = lambda: left @ right  # noqa: E731
    duration_s(work, device)
    taken_s = [duration_s(work, device, clock) for _ in range(10)]
    return 2 * side**3 / statistics.median(taken_s)


@contextmanager
def precision(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Compute without gradients, by autocast where the precision is reduced."""
    reduced = dtype != torch.float32
    autocast = torch.autocast(device.type, dtype, enabled=reduced)
    with torch.inference_mode(), autocast:
        yield


def peak_gib(device: torch.device) -> float:
    """Give the most memory held since the last reset: on the GPU, or by this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def ways(chosen: argparse.Namespace, device: torch.device) -> list[Way]:
    """List the ways to compare; the leanest first, for the peaks of a process only grow."""
    sdpa = sam_model(chosen.variant, "sdpa").to(device)
    network = SamcellNetwork.from_tensors(from_hugging_face(sdpa.state_dict())).to(device)
    dtypes = [torch.bfloat16, torch.float16] if device.type == "cuda" else [torch.bfloat16]
    found = []
    for n_tiles in chosen.tiles:
        found += [Way("ours", network, dtype, n_tiles) for dtype in dtypes]
        found += [Way("ours", network, torch.float32, n_tiles)]
    if chosen.compile:
        compiled = torch.compile(
            network, fullgraph=True, dynamic=False, mode=chosen.compile
        )
        for n_tiles in chosen.tiles:
            found += [Way("ours compiled", compiled, dtype, n_tiles) for dtype in dtypes]
            found += [Way("ours compiled", compiled, torch.float32, n_tiles)]
    eager = sam_model(chosen.variant, "eager").to(device)
    most = max(chosen.tiles)
    found.append(Way("transformers sdpa", one_by_one(sdpa), torch.float32, most))
    found.append(Way("transformers eager", one_by_one(eager), torch.float32, most))
    return found


def warm_up(way: Way, tiles: Tensor, exact: Tensor) -> None:
    """Run a way once; note its time, its memory and how far its maps are off.

    The logits are brought to a standard deviation of 2 first, as a trained map's are.
    """
    if tiles.is_cuda:
        torch.cuda.reset_peak_memory_stats()
    with precision(tiles.device, way.dtype):
        started = time.perf_counter()
        maps = torch.sigmoid(2 / exact.std() * way.predict(tiles).float())
        wait(tiles.device)
        way.warm_up_s = time.perf_counter() - started
        theirs = torch.sigmoid(2 / exact.std() * exact[: way.n_tiles])
        way.difference = (maps - theirs).abs().max().item()
    way.peak_gib = peak_gib(tiles.device)


def machine(device: torch.device) -> str:
    """Name the machine that the numbers are of."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":")[1] for line in lines.splitlines() if "model name" in line]
    name = names[0].strip() if names else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"


def report(found: list[Way], needed: float, rates: dict[torch.dtype, float]) -> None:
    """Print one line for each way."""
    default_s = next(way.tile_s for way in found if way.name == "transformers sdpa")
    columns = "way", "precision", "tiles", "ms/tile", "ratio", "of floor", "off by", "peak"
    print(("{:<19}{:<10}" + "{:>9}" * 6).format(*columns), " first run")
    for way in found:
        floor_s = needed / rates[way.dtype]
        name = str(way.dtype).removeprefix("torch.")
        print(
            f"{way.name:<19}{name:<10}{way.n_tiles:>9}{way.tile_s * 1e3:>9.1f}"
            f"{default_s / way.tile_s:>9.2f}{floor_s / way.tile_s:>9.0%}"
            f"{way.difference:>9.1e}{way.peak_gib:>5.1f} GiB{way.warm_up_s:>9.1f} s"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--variant", choices=VARIANTS, default="vit_b")
    parser.add_argument("--tiles", type=int, nargs="+", help="tiles at once; 1 on a CPU")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, help="threads of a CPU; all of them")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count this process's own time, where others load the CPU too; one thread",
    )
    parser.add_argument(
        "--compile", metavar="MODE", help="also compile: default, max-autotune, ..."
    )
    chosen = parser.parse_args()
    device = torch.device(chosen.device)
    chosen.tiles = chosen.tiles or ([1, 8, 32] if device.type == "cuda" else [1])
    clock: Clock = time.process_time if chosen.cpu_time else time.perf_counter
    if chosen.cpu_time:
        chosen.threads = 1  # more would wait for each other, and count it
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    counted, needed = tile_operations(chosen.variant)
    print(f"machine: {machine(device)}; torch {torch.__version__}")
    print(
        f"{chosen.variant}: {counted / 1e9:.0f} GFLOP a tile in transformers, "
        f"{needed / 1e9:.0f} without the padding of windows"
    )
    fewest, augmented = our_operations(chosen.variant)
    print(
        f"ours: {fewest / 1e9:.0f} GFLOP a tile on a CPU or compiled, "
        f"{augmented / 1e9:.0f} on a GPU uncompiled or with gradients"
    )
    found = ways(chosen, device)
    dtypes = {way.dtype for way in found}
    rates = {dtype: matrix_rate(device, dtype, clock) for dtype in dtypes}
    for dtype, rate in rates.items():
        print(f"{dtype}: {rate / 1e12:.2f} TFLOP/s, floor {needed / rate * 1e3:.1f} ms")

    noise = torch.rand(max(chosen.tiles), 1, 32, 32)
    tiles = functional.interpolate(noise, size=(256, 256), mode="bicubic").clamp(0, 1)
    tiles = tiles.to(device)
    exact_way = next(
        way for way in found if way.name == "ours" and way.dtype == torch.float32
    )
    with precision(device, torch.float32):
        exact = torch.cat([exact_way.predict(tile) for tile in tiles.split(1)])
    for way in found:
        warm_up(way, tiles[: way.n_tiles], exact)
    for _ in range(chosen.repeats):  # in turn, so that another's load falls on all
        for way in found:
            with precision(device, way.dtype):
                mine = tiles[: way.n_tiles]
                work = lambda way=way, mine=mine: way.predict(mine)  # noqa: E731
                way.taken_s.append(duration_s(work, device, clock))
    report(found, needed, rates)


if __name__ == "__main__":
    main()
