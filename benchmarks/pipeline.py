"""Show that a device does not wait while images are prepared and cells are measured.

    python benchmarks/pipeline.py [--device-ms 150] [--frames 12] [--trace FILE.json]

Preparing and finishing are the real thing, on 2048 x 2048 frames of about 3000 cells.
Without a GPU the network is one of known cost, which, like a GPU, takes time and no
processor. Each frame is segmented one after another, and then as a stream. The trace
opens in chrome://tracing or ui.perfetto.dev.
"""

from __future__ import annotations

import argparse
import json
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import ndimage

from samcell_live.culture.cells import cell_table
from samcell_live.segmentation.models import Model, load_model
from samcell_live.segmentation.preprocess import scale_to_unit
from samcell_live.segmentation.segmenter import Segmenter
from samcell_live.segmentation.stages import Answer, Prepared
from samcell_live.segmentation.tiling import EvenTiling
from samcell_live.segmentation.weights import find_weights
from samcell_live.settings import SegmentationSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

SIDE_PX, CELL_PX = 2048, 37
STAGES = ("prepare", "predict", "finish")


@dataclass
class Trace:
    """When each stage was at work."""

    spans: list[tuple[str, float, float]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Note the time that something takes."""
        started = time.perf_counter()
        yield
        with self.lock:
            self.spans.append((stage, started, time.perf_counter()))

    def idle_share(self) -> float:
        """Part of the time between the device's first and last work that it waited."""
        busy = sorted(
            (start, end) for stage, start, end in self.spans if stage == "predict"
        )
        whole = busy[-1][1] - busy[0][0]
        return 1 - sum(end - start for start, end in busy) / whole

    def write(self, path: Path) -> None:
        """Write Chrome's trace format."""
        begun = min(start for _, start, _ in self.spans)
        events = [
            {
                "name": stage,
                "ph": "X",
                "pid": 0,
                "tid": STAGES.index(stage),
                "ts": (start - begun) * 1e6,
                "dur": (end - start) * 1e6,
            }
            for stage, start, end in self.spans
        ]
        path.write_text(json.dumps(events), encoding="utf-8")


class Traced(Segmenter):
    """A segmenter whose stages are noted, and whose device may be a stand-in."""

    def __init__(self, model: Model, device_ms: float) -> None:
        super().__init__(model, SegmentationSettings(), torch.device("cpu"))
        self.trace = Trace()
        self.device_ms = device_ms
        # No two pixels of a real network's map are equal.
        self.grain = 1e-4 * torch.rand(SIDE_PX, SIDE_PX)

    def prepare(self, pixels: npt.NDArray[Any], pixel_size_um: float = 1.0) -> Prepared:
        """Note the time of the first stage."""
        with self.trace.of("prepare"):
            return super().prepare(pixels, pixel_size_um)

    def predict(self, images: Sequence[Prepared]) -> list[Answer]:
        """Take the device's time, and give the image itself as its map."""
        with self.trace.of("predict"):
            time.sleep(self.device_ms / 1e3 * len(images))
            return [self._read_as_map(image) for image in images]

    def _read_as_map(self, image: Prepared) -> Answer:
        height_px, width_px = image.pixels.shape
        return Answer(image.pixels + self.grain[:height_px, :width_px], None)

    def finish(self, prepared: Prepared, answer: Answer) -> Any:
        """Note the time of the last stage, the live table included."""
        with self.trace.of("finish"):
            found = super().finish(prepared, answer)
            cell_table(found.labels, np.zeros(found.labels.shape, np.uint16), 1.0)
            return found


def dense_culture(seed: int, side_px: int = SIDE_PX) -> npt.NDArray[np.uint16]:
    """Draw a frame that reads as its own distance map: touching cells, about 3000.

    They differ in size: else most pixels would share their height with others, which in a
    map of the starter three in a thousand do, and what is equal takes the flood longer.
    """
    rng = np.random.default_rng(seed)
    lattice = np.arange(CELL_PX // 2, side_px, CELL_PX)
    centres = np.stack(np.meshgrid(lattice, lattice), -1).reshape(-1, 2)
    centres = np.clip(centres + rng.integers(-9, 10, centres.shape), 0, side_px - 1)
    apart = np.ones((side_px, side_px), bool)
    apart[centres[:, 0], centres[:, 1]] = False
    distance, nearest = ndimage.distance_transform_edt(apart, return_indices=True)
    sizes_px = CELL_PX * rng.uniform(0.9, 1.1, apart.shape)[tuple(nearest)]
    depth = 1 - distance / (0.75 * sizes_px)
    return np.asarray(60000 * np.clip(depth, 0, 1), np.uint16)


def stand_in_model() -> Model:
    """Model around the network of known cost; what reads its answer is the real thing."""
    return Model(
        network=load_model(find_weights("starter")).network,
        name="stand-in",
        sha256="",
        prepare=scale_to_unit,
        tiling=EvenTiling(SIDE_PX, 32, overlap_px=32),
        most_tiles=1,
        peak_threshold=0.6,
        fill_threshold=0.2,
        cell_diameter_px=CELL_PX,
    )


def main() -> None:
    """Run both ways and print the comparison."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--device-ms", type=float, default=150)
    arguments.add_argument("--frames", type=int, default=12)
    arguments.add_argument("--trace", type=Path)
    chosen = arguments.parse_args()

    frames = [dense_culture(seed) for seed in range(3)]
    frames = [frames[i % 3] for i in range(chosen.frames)]
    model = stand_in_model()
    Traced(model, 0)(frames[0])  # compile what is compiled at first use

    one_by_one = Traced(model, chosen.device_ms)
    started = time.perf_counter()
    cells = [int(one_by_one(frame).labels.max()) for frame in frames]
    apart_s = time.perf_counter() - started

    stream = Traced(model, chosen.device_ms)
    started = time.perf_counter()
    streamed = [int(found.labels.max()) for _, found in stream.stream(frames)]
    together_s = time.perf_counter() - started
    assert streamed == cells

    print(f"{platform.node()}, {platform.processor()}, {torch.get_num_threads()} threads")
    print(f"{len(frames)} frames of about {np.mean(cells):.0f} cells")
    print(f"device: {chosen.device_ms:.0f} ms a frame")
    for stage in ("prepare", "finish"):
        spent = [
            end - start for name, start, end in one_by_one.trace.spans if name == stage
        ]
        print(f"{stage}: {np.median(spent) * 1e3:.0f} ms a frame, alone")
    print(f"one after another: {apart_s:.2f} s, device idle {idle(one_by_one):.0%}")
    print(f"as a stream:       {together_s:.2f} s, device idle {idle(stream):.0%}")
    print(f"ratio {apart_s / together_s:.2f}")
    if chosen.trace:
        stream.trace.write(chosen.trace)


def idle(segmenter: Traced) -> float:
    """Share of its time that the device waited."""
    return segmenter.trace.idle_share()


if __name__ == "__main__":
    main()
