"""How much of the disk's own rate the raw writer reaches.

    python benchmarks/raw_writer.py [--frames 64] [--repeats 5] [--folder ON_THAT_DISK]

Camera-like frames go through the spool into a run store, each safe on disk and marked so.
In turn with that, files of as many bytes as a frame are written and synced by one thread
and by several, and files as large as a compressed frame. Printed: frames a second
each way, and the writer's share of the fastest plain way to keep a frame's bytes.

Both sides leave nothing behind, and a first round is not counted: on a virtual machine
memory that is used for the first time, the page cache's included, can cost more than the
write, and would be charged to whoever comes first.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from samcell_live.memory import reuse_freed_memory
from samcell_live.records import Frame, FrameKey, FrameRow
from samcell_live.store.create import create_run
from samcell_live.store.frames import FrameWriter
from samcell_live.store.plan import Channel, RunPlan, View
from samcell_live.store.spool import Spool

if TYPE_CHECKING:
    from samcell_live.records import Pixels

LEAST_SHARE = 0.7
THREADS = (1, 4, 8)


def camera_frame(side_px: int) -> Pixels:
    """Draw cells on a lit background with a 12-bit camera's noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side_px, :side_px]
    cells = 150 * np.sin(y / 9) * np.sin(x / 11)
    light = 1500 - 300 * ((y / side_px - 0.5) ** 2 + (x / side_px - 0.5) ** 2)
    electrons = light + cells
    return np.asarray(electrons + np.sqrt(electrons) * rng.normal(size=y.shape), np.uint16)


def plain_rate(folder: Path, data: bytes, n_files: int, n_threads: int) -> float:
    """Write and sync files of this content; gives files a second."""

    def write(number: int) -> None:
        with (folder / f"{number}.raw").open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    started = time.perf_counter()
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(write, range(n_files)))
    rate = n_files / (time.perf_counter() - started)
    for file in folder.iterdir():
        file.unlink()
    return rate


def one_field(n_frames: int, side_px: int) -> RunPlan:
    """Plan of a run that images one square field again and again."""
    return RunPlan(
        name="benchmark",
        source="simulated",
        shape_tpgczcam=(n_frames, 1, 1, 1, 1, 1),
        height_px=side_px,
        width_px=side_px,
        pixel_size_um=0.65,
        views=(View(path="0", name="field"),),
        channels=(Channel(name="phase"),),
    )


def our_rate(path: Path, pixels: Pixels, n_frames: int) -> tuple[float, int]:
    """Keep frames as a run does; gives frames a second, and the bytes of one on disk."""
    plan = one_field(n_frames, side_px=len(pixels))
    create_run(path, plan)
    frames = [
        Frame(FrameKey(t=t), pixels, 0.65, FrameRow(time_s=time.time(), elapsed_s=t))
        for t in range(n_frames)
    ]
    spool = Spool(FrameWriter(path, plan).begin, budget_bytes=2**40)
    started = time.perf_counter()
    for frame in frames:
        spool.offer(frame)
    spool.close()
    rate = n_frames / (time.perf_counter() - started)
    assert spool.health.written == n_frames
    chunk = path / "0" / "0" / "c" / "0" / "0" / "0" / "0"
    return rate, chunk.stat().st_size


def main() -> None:
    """Measure in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--side-px", type=int, default=2048)
    parser.add_argument("--folder", type=Path, help="On the disk that is meant.")
    chosen = parser.parse_args()
    reuse_freed_memory()  # as a monitor does
    pixels = camera_frame(chosen.side_px)
    raw = pixels.tobytes()

    ours: list[float] = []
    plain: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        (folder / "plain").mkdir()
        for _ in range(1 + chosen.repeats):
            rate, n_bytes = our_rate(folder / "run.ome.zarr", pixels, chosen.frames)
            shutil.rmtree(folder / "run.ome.zarr")
            ours.append(rate)
            # What is random cannot be made smaller on the way by the file system.
            compressed = np.random.default_rng(0).bytes(n_bytes)
            for what, data in (("raw", raw), ("compressed", compressed)):
                for n_threads in THREADS:
                    rate = plain_rate(folder / "plain", data, chosen.frames, n_threads)
                    plain.setdefault((what, n_threads), []).append(rate)
    for rates in (ours, *plain.values()):
        del rates[0]

    print(f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print(
        f"{chosen.frames} frames of {len(raw) / 2**20:.1f} MB, {n_bytes / 2**20:.1f} MB "
        f"compressed; median of {chosen.repeats}, in turn"
    )
    for (what, n_threads), rates in plain.items():
        print(f"plain files, {what}, {n_threads} threads: {statistics.median(rates):.1f}/s")
    print(f"raw writer: {statistics.median(ours):.1f}/s")
    for what in ("raw", "compressed"):
        shares = [
            rate / max(plain[what, n_threads][repeat] for n_threads in THREADS)
            for repeat, rate in enumerate(ours)
        ]
        share = f"{statistics.median(shares):.0%}"
        bar = f" (at least {LEAST_SHARE:.0%})" if what == "raw" else ""
        print(f"share of the disk's own rate, {what} bytes: {share}{bar}")


if __name__ == "__main__":
    main()
