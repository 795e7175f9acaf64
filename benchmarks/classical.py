"""Cells by thresholds and a watershed: the baseline that a network has to beat.

    python benchmarks/classical.py DATA_FOLDER --tune usiigaci/val [...]

tunes it for data sets of `starter_fields.py`, on fields that are not scored, from three
starts. `TUNED` holds the best settings of each data set.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_li, threshold_otsu, threshold_triangle
from skimage.segmentation import watershed
from starter_fields import data_sets

from samcell_live.records import Labels, Mask
from samcell_live.segmentation.preprocess import GreyImage
from samcell_live.training.fields import Field
from samcell_live.training.scores import mean_op_csb, score_field

THRESHOLDS: Mapping[str, Callable[[GreyImage], float]] = {
    "otsu": threshold_otsu,
    "li": threshold_li,
    "triangle": threshold_triangle,
}


@dataclass(frozen=True, slots=True)
class Classical:
    """A segmenter without anything learned but these settings."""

    contrast: Literal["spread", "difference", "brightness"]
    """What tells cells: local standard deviation; how far a pixel is from the local mean;
    how far it is above it."""
    window_px: int = 25
    """Side of the square that is local."""
    smoothing_px: float = 2.0
    threshold: Literal["otsu", "li", "triangle"] = "otsu"
    factor: float = 1.0
    """By which the method's threshold is multiplied."""
    smallest_px: int = 100
    largest_hole_px: int = 100
    apart_px: int = 10
    """Centres of cells are at least so far apart."""

    def __call__(self, image: GreyImage) -> Labels:
        """Find the cells of an image."""
        contrast = ndimage.gaussian_filter(self._contrast(image), self.smoothing_px)
        mask = contrast > self.factor * THRESHOLDS[self.threshold](contrast)
        mask = ~_large_regions(~mask, self.largest_hole_px + 1)
        mask = _large_regions(mask, self.smallest_px)
        regions, _ = ndimage.label(mask)
        distance = ndimage.distance_transform_edt(mask)
        peaks = peak_local_max(
            distance, min_distance=self.apart_px, labels=regions, exclude_border=False
        )
        seeds = np.zeros(mask.shape, np.int32)
        seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
        return np.asarray(watershed(-distance, seeds, mask=mask), dtype=np.int32)

    def _contrast(self, image: GreyImage) -> GreyImage:
        mean = ndimage.uniform_filter(image, self.window_px)
        if self.contrast == "spread":
            square = ndimage.uniform_filter(image**2, self.window_px)
            contrast = np.sqrt(np.maximum(square - mean**2, 0))
        elif self.contrast == "difference":
            contrast = np.abs(image - mean)
        else:
            contrast = np.maximum(image - mean, 0)
        return np.asarray(contrast, dtype=np.float32)


def _large_regions(mask: Mask, smallest_px: int) -> Mask:
    """Keep the regions of at least so many pixels."""
    regions, _ = ndimage.label(mask)
    large = np.bincount(regions.ravel()) >= smallest_px
    large[0] = False
    return np.asarray(large[regions])


TUNED: Mapping[str, Classical] = {
    "usiigaci/val": Classical(
        "brightness", 5, 3.0, "li", 0.6, smallest_px=400, largest_hole_px=0, apart_px=28
    ),
    "bbbc039": Classical("brightness", 65, 0.5, "li", 1.0, smallest_px=20),
    "dsb2018": Classical(
        "brightness",
        41,
        0.5,
        "triangle",
        1.2,
        smallest_px=20,
        largest_hole_px=1000,
        apart_px=7,
    ),
    "simulated": Classical(
        "spread", 5, 1.5, "li", 0.4, smallest_px=400, largest_hole_px=0, apart_px=14
    ),
    "c2c12": Classical("brightness", window_px=9, smoothing_px=4, factor=0.85, apart_px=5),
}
BASELINES: Mapping[str, Mapping[str, Classical]] = {
    **{name: {"classical": classical} for name, classical in TUNED.items()},
    "c2c12": {
        "classical, tuned on usiigaci": TUNED["usiigaci/val"],
        "classical, tuned on itself": TUNED["c2c12"],
    },
}
"""The baselines of each data set, by name; `c2c12` has no other fields to tune on."""

STARTS = (
    Classical("spread", window_px=9),
    Classical("difference", window_px=41),
    Classical("brightness", window_px=129),
)
CHOICES: Mapping[str, Sequence[Any]] = {
    "window_px": (5, 9, 15, 25, 41, 65, 129, 257),
    "smoothing_px": (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0),
    "threshold": tuple(THRESHOLDS),
    "factor": (0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.4),
    "apart_px": (3, 5, 7, 10, 14, 20, 28),
    "smallest_px": (20, 50, 100, 200, 400),
    "largest_hole_px": (0, 100, 1000, 10_000),
}
MOST_FIELDS, SIDE_PX = 12, 512
"""So many fields of a data set are tuned on, and so much of each: it takes long enough."""
SOME, HOPELESS = 4, 0.05
"""What is so much worse than the best on every fourth field is not tried on the others."""


@cache
def quality(classical: Classical, fields: tuple[Field, ...]) -> float:
    """Mean OP_CSB."""
    part = slice(SIDE_PX), slice(SIDE_PX)
    return mean_op_csb(
        [
            score_field(one.name, one.labels[part], classical(one.image[part]))
            for one in fields
        ]
    )


def is_better(one: Classical, best: Classical, fields: tuple[Field, ...]) -> bool:
    """Compare on some fields, and where there is hope on all."""
    some = fields[::SOME]
    return quality(one, some) > quality(best, some) - HOPELESS and (
        quality(one, fields) > quality(best, fields)
    )


def tuned(start: Classical, fields: tuple[Field, ...]) -> Classical:
    """Change one setting at a time for the better, until no change is."""
    best, before = start, None
    while best != before:
        before = best
        for setting, choices in CHOICES.items():
            for choice in choices:
                other = replace(best, **{setting: choice})
                if is_better(other, best, fields):
                    best = other
    return best


def main() -> None:
    """Tune the baseline for the data sets that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="Folder of the data sets.")
    parser.add_argument("--tune", nargs="+", required=True, metavar="DATA_SET")
    chosen = parser.parse_args()
    for data_set in data_sets(chosen.data):
        if data_set.name in chosen.tune:
            fields = data_set.tuning()
            fields = fields[:: -(-len(fields) // MOST_FIELDS)]
            for start in STARTS:
                best = tuned(start, fields)
                print(f"{data_set.name}: {quality(best, fields):.3f} {best}", flush=True)


if __name__ == "__main__":
    main()
