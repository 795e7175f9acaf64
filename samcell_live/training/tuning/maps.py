"""Distance maps that are predicted once and kept on disk."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from samcell_live.records import NAN

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from samcell_live.records import DistanceMap
    from samcell_live.segmentation.segmenter import Segmenter

VERSION = 1
"""Of what is kept; another one is predicted anew."""

STEPS = 65535
"""Half precision takes as much room, and between 0.5 and 1 it has 32 times coarser steps:
plateaus, on which the flood's borders run straight."""


def in_steps(distance: DistanceMap) -> npt.NDArray[np.uint16]:
    """Round a map to `STEPS` steps, to be kept."""
    return np.rint(np.clip(distance, 0, 1) * STEPS).astype(np.uint16)


def from_steps(kept: npt.NDArray[np.uint16]) -> DistanceMap:
    """Give a map that was kept."""
    return np.asarray(kept, dtype=np.float32) / np.float32(STEPS)


class DistanceMaps:
    """One segmenter's distance maps, in `STEPS` steps: two bytes a pixel.

    A map is named after all that decides it: weights, network, preset, number format,
    scale and the image's own numbers. So one folder serves any number of models. Values
    are rounded, first time or not, so that both times are alike.

    Parameters
    ----------
    segmenter : Segmenter
    folder : Path
        Made when the first map is kept.
    pixel_size_um : float
        Needed if the segmenter's settings give a cell diameter.
    """

    def __init__(
        self, segmenter: Segmenter, folder: Path, pixel_size_um: float = NAN
    ) -> None:
        self._segmenter = segmenter
        self._folder = folder
        self._pixel_size_um = pixel_size_um
        making = segmenter.making
        decisive = {
            "version": VERSION,
            "package": making.package,
            "weights": making.weights_sha256,
            "network": making.network,
            "precision": making.precision,
            "preset": making.settings["preset"],
            "cell_diameter_um": making.settings["cell_diameter_um"],
            "cell_diameter_px": making.settings["cell_diameter_px"],
            "pixel_size_um": repr(pixel_size_um),
        }
        self._decisive = json.dumps(decisive, sort_keys=True).encode()

    def __call__(self, pixels: npt.NDArray[Any]) -> DistanceMap:
        """Give the map of an image, (height, width) float32, predicted if need be.

        Raises
        ------
        ValueError
            As `Segmenter.predict_distance` does.
        """
        path = self.path(pixels)
        if not path.exists():
            distance = self._segmenter.predict_distance(pixels, self._pixel_size_um)
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".partial")
            with unfinished.open("wb") as file:
                np.save(file, in_steps(distance))
            unfinished.replace(path)
        return from_steps(np.load(path))

    def path(self, pixels: npt.NDArray[Any]) -> Path:
        """Where the map of an image is kept."""
        digest = sha256(self._decisive)
        digest.update(f"{pixels.shape} {pixels.dtype.str}".encode())
        digest.update(np.ascontiguousarray(pixels).data)
        return self._folder / f"{digest.hexdigest()[:32]}.npy"
