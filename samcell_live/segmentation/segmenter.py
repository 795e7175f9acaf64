"""One image in, its cells out: the same path for either network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

import samcell_live
from samcell_live.records import NAN, Making, Segmentation
from samcell_live.segmentation.formats import read_weights
from samcell_live.segmentation.models import Model, load_model
from samcell_live.segmentation.preprocess import grey
from samcell_live.segmentation.tiling import predict_in_tiles
from samcell_live.segmentation.watershed import check_thresholds, split_cells
from samcell_live.segmentation.weights import find_weights

if TYPE_CHECKING:
    import numpy.typing as npt

    from samcell_live.records import DistanceMap
    from samcell_live.segmentation.preprocess import GreyImage
    from samcell_live.settings import SegmentationSettings


def load_segmenter(
    settings: SegmentationSettings, *, device: str | torch.device | None = None
) -> Segmenter:
    """Load the network that the settings name; a published one is fetched on first use.

    Parameters
    ----------
    settings : SegmentationSettings
    device : str or torch.device, optional
        Overrides the settings' device.

    Raises
    ------
    ValueError
        If the model is unknown, its file is damaged or the device is not there.
    OSError
        If its file cannot be fetched.
    """
    place = choose_device(str(device or settings.device))
    model = load_model(find_weights(settings.model))
    return Segmenter(model, settings, place)


def check_model(settings: SegmentationSettings) -> None:
    """See that `load_segmenter` will find what it needs, before anything is begun.

    The weights file is read, and a published one fetched; no network is built.

    Raises
    ------
    ValueError
        If the model is unknown, its file is damaged or the device is not there.
    OSError
        If its file cannot be fetched.
    """
    choose_device(settings.device)
    read_weights(find_weights(settings.model))


def choose_device(name: str) -> torch.device:
    """Give the device of this name; ``auto`` is the fastest that is there.

    Raises
    ------
    ValueError
        If the device is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, found in there.items() if found))
    device = torch.device(name)
    if not there.get(device.type, False):
        found = ", ".join(kind for kind, is_there in there.items() if is_there)
        raise ValueError(
            f"The device {name} is not available to torch {torch.__version__}; "
            f"here are: {found}. Set device to one of them, or to auto."
        )
    return device


class Segmenter:
    """Finds the cells of grey images with one network.

    An image that cannot be segmented raises; it never comes back as an empty dish.

    Parameters
    ----------
    model : Model
        Moved to `device`.
    settings : SegmentationSettings
        Thresholds that are not set are the model's own.
    device : torch.device

    Raises
    ------
    ValueError
        If a threshold that is set does not fit the model's other one.
    """

    def __init__(
        self, model: Model, settings: SegmentationSettings, device: torch.device
    ) -> None:
        model.network.to(device)
        self._model = model
        self.peak_threshold = _first(settings.peak_threshold, model.peak_threshold)
        self.fill_threshold = _first(settings.fill_threshold, model.fill_threshold)
        check_thresholds(self.peak_threshold, self.fill_threshold)
        self._settings = settings
        self.making = Making(
            model=settings.model,
            weights_sha256=model.sha256,
            network=model.name,
            package=f"samcell_live {samcell_live.__version__}",
            device=str(device),
            precision="float32",
            settings=settings.model_dump()
            | {
                "peak_threshold": self.peak_threshold,
                "fill_threshold": self.fill_threshold,
            },
        )

    def __call__(
        self, pixels: npt.NDArray[Any], pixel_size_um: float = NAN
    ) -> Segmentation:
        """Segment one image.

        Parameters
        ----------
        pixels : (height, width) bool, integers or floats
        pixel_size_um : float
            Needed where the settings give a size in micrometres.

        Returns
        -------
        Segmentation
            On the image's own pixels.

        Raises
        ------
        ValueError
            If this is no grey image, a size in micrometres is set and the pixel size is
            not known, or the network's answer is no number.
        """
        distance = self.predict_distance(pixels, pixel_size_um)
        labels = split_cells(
            distance,
            peak_threshold=self.peak_threshold,
            fill_threshold=self.fill_threshold,
            min_area_px=self._min_area_px(pixel_size_um),
        )
        return Segmentation(labels, distance, self.making)

    def predict_distance(
        self, pixels: npt.NDArray[Any], pixel_size_um: float = NAN
    ) -> DistanceMap:
        """Predict the distance map of one image; the first half of segmenting it.

        Takes and raises what `__call__` does; returns (height, width) float32.
        """
        model = self._model
        image = grey(pixels)
        scaled = model.prepare(_resize(image, self._zoom(pixel_size_um)))
        height_px, width_px = scaled.shape
        distance = predict_in_tiles(
            scaled,
            model.predict,
            tile_px=(model.tile_side_px(height_px), model.tile_side_px(width_px)),
            overlap_px=model.overlap_px,
            batch_tiles=min(self._settings.batch_tiles, model.most_tiles),
        )
        if not np.isfinite(distance).all():
            raise ValueError(
                f"The network {model.name} answered NaN or infinity for this image. "
                f"Its weights are damaged, or {self.making.device} computes wrongly."
            )
        return _resize_to(distance, image.shape)

    def _zoom(self, pixel_size_um: float) -> float:
        """Factor that brings the user's cells to the size that the model knows."""
        diameter_um = self._settings.cell_diameter_um
        if diameter_um is None:
            return 1.0
        _require_pixel_size(pixel_size_um, "cell_diameter_um", diameter_um)
        return self._model.cell_diameter_px * pixel_size_um / diameter_um

    def _min_area_px(self, pixel_size_um: float) -> float:
        min_area_um2 = self._settings.min_area_um2
        if min_area_um2 == 0:
            return 0.0
        _require_pixel_size(pixel_size_um, "min_area_um2", min_area_um2)
        return min_area_um2 / pixel_size_um**2


def _first(chosen: float | None, default: float) -> float:
    return default if chosen is None else chosen


def _require_pixel_size(pixel_size_um: float, setting: str, value: float) -> None:
    if not (math.isfinite(pixel_size_um) and pixel_size_um > 0):
        raise ValueError(
            f"{setting} is {value}, but the image's pixel size is {pixel_size_um} um. "
            f"Give the pixel size, or leave {setting} unset."
        )


def _resize(image: GreyImage, zoom: float) -> GreyImage:
    height, width = image.shape
    return _resize_to(image, (max(1, round(height * zoom)), max(1, round(width * zoom))))


def _resize_to(image: GreyImage, shape: tuple[int, ...]) -> GreyImage:
    """Resize, averaging where the image shrinks so that nothing is skipped."""
    if image.shape == shape:
        return image
    height, width = shape
    shrinks = height * width < image.size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=interpolation))
