"""Our segmenter beside the authors' package samcell 1.2.0, on one image and one network.

    python benchmarks/reference.py [--image-px 520 704] [--model FILE] [--device cuda]

Both sides run in this process, in turn. The package is the one that the tests install;
where there is none, and none can be had, its method is repeated with transformers: tile
by tile, each through SAM's image processor. Weights are random ones that see cells
(see tests/seeing_sam.py) unless a file is given: a state dict of transformers' SamModel
of ViT-B's size, as SAMCell's are. Exits with 1 if the labels of the preset `reference`
differ from the package's in more than one pixel of 10,000.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from skimage.segmentation import relabel_sequential, watershed

from samcell_live.records import DistanceMap, Labels
from samcell_live.segmentation.reference import (
    GreyBytes,
    TileArrays,
    centroid_markers,
    predict_as_reference,
)
from samcell_live.segmentation.segmenter import Segmenter

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from samcell_package import (
    NotInstalledError,
    install,
    load,
    pipeline,
    sam_processor,
    usual_folder,
)
from seeing_sam import seeing_sam, simulated_field

PEAK, FILL = 0.47, 0.09
HEAD = (
    "| | tiles | s | CPU s | s per tile | times faster | in CPU time | per tile | cells |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)
ALLOWED = 1e-4
"""Part of the pixels whose labels may differ: float32 sums in another order."""


class Answer(NamedTuple):
    """What a side makes of an image."""

    labels: Labels
    distance: DistanceMap


class Side(NamedTuple):
    """One way to segment."""

    name: str
    segment: Callable[[GreyBytes], Answer]
    n_tiles: int


class Measured(NamedTuple):
    """One way to segment, and how it did; times are medians of the repeats."""

    side: Side
    answer: Answer
    seconds: float
    cpu_seconds: float
    """Of all threads: says more than `seconds` where others use the machine, too."""


class TileByTile:
    """The package's method with transformers, where the package itself is missing."""

    def __init__(self, model: Any, device: str) -> None:
        self._model, self._device = model.to(device), device
        self._process = sam_processor()

    def run(self, image: GreyBytes, *, return_dist_map: bool) -> tuple[Labels, DistanceMap]:
        """Segment as the package's pipeline does."""
        assert return_dist_map
        distance = predict_as_reference(image, self._predict, batch_tiles=1)
        markers = centroid_markers(distance > PEAK)
        return watershed(-distance, markers, mask=distance > FILL), distance

    def _predict(self, tiles: TileArrays) -> TileArrays:
        (tile,) = tiles
        exists = ~np.isnan(tile)
        crop = tile[exists.any(axis=1)][:, exists.any(axis=0)].astype(np.uint8)
        seen = self._process(np.stack([crop] * 3, axis=-1), return_tensors="pt")
        with torch.no_grad():
            masks = self._model(
                pixel_values=seen["pixel_values"].to(self._device), multimask_output=True
            ).pred_masks
        return torch.sigmoid(masks)[:, 0, 0].cpu().numpy()


def their_pipeline(model: Any, folder: Path, device: str) -> Any:
    """Give the package's pipeline, or what comes nearest to it."""
    try:
        install(folder)
    except NotInstalledError as error:
        print(f"{error}; its method is repeated with transformers", file=sys.stderr)
        return TileByTile(model, device)
    return pipeline(load(folder), model, device)


def sam_of(weights: Path | None) -> Any:
    """Build transformers' ViT-B on these weights, or on random ones that see cells."""
    if weights is None:
        return seeing_sam()
    transformers: Any = importlib.import_module("transformers")
    model = transformers.SamModel(transformers.SamConfig()).eval()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return model


def our_side(preset: str, weights: Path, options: argparse.Namespace) -> Side:
    """Our segmenter on the same weights."""
    segmenter = Segmenter.from_name(
        str(weights), options.device, preset=preset, precision=options.precision
    )

    def segment(image: GreyBytes) -> Answer:
        found = segmenter(image)
        return Answer(found.labels, found.distance)

    shape = np.zeros(options.image_px, dtype=np.uint8)
    tiles = segmenter.n_tiles(segmenter.prepare(shape))
    return Side(f"samcell_live, {preset}", segment, tiles)


def measure(sides: list[Side], image: GreyBytes, repeats: int) -> list[Measured]:
    """Segment several times, all sides in turn, so that they share good and bad times."""
    times: list[list[tuple[float, float]]] = [[] for _ in sides]
    answers: list[Answer] = []
    for _ in range(repeats):
        answers.clear()
        for side, spent in zip(sides, times, strict=True):
            before = time.perf_counter(), time.process_time()
            answers.append(side.segment(image))
            spent.append((time.perf_counter() - before[0], time.process_time() - before[1]))
    medians = (map(statistics.median, zip(*spent, strict=True)) for spent in times)
    return [
        Measured(side, answer, *median)
        for side, answer, median in zip(sides, answers, medians, strict=True)
    ]


def sides_of(options: argparse.Namespace) -> list[Side]:
    """The package first, then ours at its tiles, then ours."""
    model = sam_of(options.model)
    model.set_attn_implementation(options.attention)
    theirs = their_pipeline(model, options.samcell_path, options.device)

    def segment(image: GreyBytes) -> Answer:
        labels, distance = theirs.run(image, return_dist_map=True)
        return Answer(np.asarray(relabel_sequential(labels)[0]), distance)

    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "sam.pt"
        torch.save(model.state_dict(), weights)
        ours = [our_side(preset, weights, options) for preset in ("reference", "default")]
    return [Side(f"samcell 1.2.0, {options.attention}", segment, ours[0].n_tiles), *ours]


def machine(device: str) -> str:
    """Name of what computes."""
    if device == "cuda":
        return str(torch.cuda.get_device_name())
    names = Path("/proc/cpuinfo")
    lines = names.read_text(encoding="utf-8").splitlines() if names.exists() else []
    model = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return model[0] if model else platform.processor()


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--image-px", type=int, nargs=2, default=(520, 704))
    parser.add_argument("--model", type=Path)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", default="float32", help="Of our side.")
    parser.add_argument(
        "--attention",
        choices=("sdpa", "eager"),
        default="sdpa",
        help="Of transformers; sdpa is what it chooses today.",
    )
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument(
        "--threads",
        type=int,
        default=torch.get_num_threads(),
        help="Of torch; 1 on a busy machine, where waiting counts as CPU time.",
    )
    parser.add_argument("--samcell-path", type=Path, default=usual_folder())
    return parser.parse_args()


def main() -> int:
    """Measure and print a table in Markdown."""
    chosen = options()
    torch.set_num_threads(chosen.threads)
    image = simulated_field(tuple(chosen.image_px)).image
    print(f"{image.shape[0]} x {image.shape[1]} px, {machine(chosen.device)}")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    sides = sides_of(chosen)
    if chosen.device == "cuda":  # on a CPU what is made only once takes under a second
        measure(sides, np.ascontiguousarray(image[:256, :256]), 1)
    theirs, reference, default = measure(sides, image, chosen.repeats)
    print(HEAD)
    for one in (theirs, reference, default):
        print(row(one, theirs))
    different = differing(reference.answer, theirs.answer)
    farthest = np.abs(reference.answer.distance - theirs.answer.distance).max()
    print(f"\npreset reference: distance map within {farthest:.1e} of the package's,")
    print(f"labels differ in {different:.4%} of {image.size} pixels")
    return int(different > ALLOWED)


def row(one: Measured, theirs: Measured) -> str:
    """One line: times and ratios."""
    per_tile, their_per_tile = (each.seconds / each.side.n_tiles for each in (one, theirs))
    numbers = [
        f"{one.side.n_tiles}",
        f"{one.seconds:.1f}",
        f"{one.cpu_seconds:.1f}",
        f"{per_tile:.2f}",
        f"{theirs.seconds / one.seconds:.2f}",
        f"{theirs.cpu_seconds / one.cpu_seconds:.2f}",
        f"{their_per_tile / per_tile:.2f}",
        f"{one.answer.labels.max()}",
    ]
    return f"| {one.side.name} | " + " | ".join(numbers) + " |"


def differing(one: Answer, other: Answer) -> float:
    """Part of the pixels whose labels differ."""
    return float((one.labels != other.labels).mean())


if __name__ == "__main__":
    sys.exit(main())
