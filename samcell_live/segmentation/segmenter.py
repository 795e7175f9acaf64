"""One image in, its cells out: the same path for either network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

import samcell_live
from samcell_live.records import NAN, Making, Segmentation
from samcell_live.segmentation.inference import (
    Inference,
    check_precision,
    choose_device,
    choose_precision,
)
from samcell_live.segmentation.models import Model, load_model
from samcell_live.segmentation.preprocess import grey
from samcell_live.segmentation.scale import (
    MOST_LOOKS,
    next_zoom,
    resize,
    resize_to,
    seen_diameter_px,
)
from samcell_live.segmentation.stages import Answer, Prepared, fetch
from samcell_live.segmentation.stream import Source, outcomes
from samcell_live.segmentation.watershed import check_thresholds, split_cells
from samcell_live.segmentation.weights import find_weights
from samcell_live.settings import SegmentationSettings

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor

    from samcell_live.records import DistanceMap

T = TypeVar("T")

LARGEST_ON_DEVICE_PX = 2**26
"""Larger images stay in the computer's memory; only their tiles go to the device."""


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
        If the model is unknown, its file is damaged, it has no such preset, or the device
        is not there or lacks the precision.
    OSError
        If its file cannot be fetched.
    """
    place = choose_device(str(device or settings.device))
    check_precision(settings.precision, place)
    model = load_model(find_weights(settings.model), settings.preset)
    return Segmenter(model, settings, place)


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What a network says of an image that was resized for it."""

    images: Tensor
    """(1, height, width) the image as it was looked at."""
    maps: Tensor
    """(1, height, width)"""
    cell_diameter_px: float
    """In pixels of the image before it was resized."""


class Segmenter:
    """Finds the cells of images with one network.

    An image that cannot be segmented raises; it never comes back as an empty dish.

    Parameters
    ----------
    model : Model
        Its network is moved to `device`.
    settings : SegmentationSettings
        Thresholds that are not set are the model's own.
    device : torch.device

    Raises
    ------
    ValueError
        If a threshold that is set does not fit the model's other one, or the device lacks
        the precision.

    Examples
    --------
    >>> segmenter = Segmenter.from_name("starter", device="cpu")
    >>> segmenter(np.zeros((64, 64), np.uint16)).labels.max()
    np.int32(0)
    """

    def __init__(
        self, model: Model, settings: SegmentationSettings, device: torch.device
    ) -> None:
        self._model = model
        self._settings = settings
        self._predict = Inference(
            model.network,
            device,
            precision=choose_precision(
                settings.precision, device, bears_bfloat16=model.bears_bfloat16
            ),
            batch_tiles=min(settings.batch_tiles, model.most_tiles),
            compiled=settings.compile,
        )
        self.peak_threshold = _first(settings.peak_threshold, model.peak_threshold)
        self.fill_threshold = _first(settings.fill_threshold, model.fill_threshold)
        check_thresholds(self.peak_threshold, self.fill_threshold)
        self.prominence = _first(settings.prominence, model.prominence)
        self._half_turn = _first(settings.half_turn, model.half_turn)
        told = (settings.cell_diameter_px, settings.cell_diameter_um)
        self._finds_diameters = model.finds_diameters and told == (None, None)
        self.making = Making(
            model=settings.model,
            weights_sha256=model.sha256,
            network=model.name,
            package=f"samcell_live {samcell_live.__version__}",
            device=str(device),
            precision=self._predict.precision,
            settings=settings.model_dump()
            | {
                "peak_threshold": self.peak_threshold,
                "fill_threshold": self.fill_threshold,
                "prominence": self.prominence,
                "half_turn": self._half_turn,
            },
        )

    @staticmethod
    def from_name(
        model: str = "starter", device: str = "auto", **settings: Any
    ) -> Segmenter:
        """Load a model by its name, or the path or address of its weights.

        Parameters
        ----------
        model : str
        device : str
            ``auto``, ``cpu``, ``cuda`` or ``mps``.
        **settings
            Any other of `SegmentationSettings`.

        Raises
        ------
        ValueError
            As `load_segmenter`; or if a setting is unknown or has a bad value.
        OSError
            If the weights cannot be fetched.
        """
        return load_segmenter(SegmentationSettings(model=model, device=device, **settings))

    def __call__(
        self, pixels: npt.NDArray[Any], pixel_size_um: float = NAN
    ) -> Segmentation:
        """Segment one image.

        Parameters
        ----------
        pixels : (height, width) or (height, width, 3 or 4)
            Bool, integers or floats; of colours, the luminance counts.
        pixel_size_um : float
            Needed where the settings give a size in micrometres.

        Returns
        -------
        Segmentation
            On the image's own pixels.

        Raises
        ------
        ValueError
            If this is no image, a size in micrometres is set and the pixel size is not
            known, or the network's answer is no number.
        """
        prepared = self.prepare(pixels, pixel_size_um)
        (answer,) = self.predict([prepared])
        return self.finish(prepared, answer)

    def stream(
        self,
        sources: Iterable[Source],
        *,
        on_error: Callable[[Source, Exception], None] | None = None,
    ) -> Iterator[tuple[Source, Segmentation]]:
        """Segment many images in their order, faster than one call after another.

        While the device works on one, the next is prepared and the last is finished.

        Parameters
        ----------
        sources : iterable of Frame or array
            Read a few ahead, in another thread.
        on_error : callable, optional
            Told of each image that cannot be segmented, which is then left out. Unset,
            the first such image raises in its place.

        Yields
        ------
        source : Frame or array
            The one that was given.
        segmentation : Segmentation
        """
        for source, outcome in outcomes(self, sources):
            if isinstance(outcome, Segmentation):
                yield source, outcome
            elif on_error is None:
                raise outcome
            else:
                on_error(source, outcome)

    def predict_distance(
        self, pixels: npt.NDArray[Any], pixel_size_um: float = NAN
    ) -> DistanceMap:
        """Predict the distance map of one image; segmenting without its last step.

        Takes and raises what `__call__` does; returns (height, width) float32.
        """
        prepared = self.prepare(pixels, pixel_size_um)
        (answer,) = self.predict([prepared])
        return self._on_the_image(prepared, answer)

    def prepare(self, pixels: npt.NDArray[Any], pixel_size_um: float = NAN) -> Prepared:
        """Make an image ready for the network: the first stage of `__call__`."""
        image = grey(pixels)
        scaled = self._model.prepare(resize(image, self._zoom(pixel_size_um)))
        ready = torch.from_numpy(scaled)
        if self._predict.device.type == "cuda":
            ready = ready.pin_memory()
        height_px, width_px = image.shape
        return Prepared(ready, (height_px, width_px), self._min_area_px(pixel_size_um))

    def predict(self, images: Sequence[Prepared]) -> list[Answer]:
        """Put images of one shape through the network: the second stage.

        A model that finds cells of its own size best looks at each image until it sees
        them at that size, unless the settings say how large they are. On a CUDA device
        the answers may still be on their way when this returns.
        """
        if self._finds_diameters:
            return [self._predict_to_scale(image) for image in images]
        return self._predict_as_they_are([image.pixels for image in images])

    def cell_diameter_px(self, pixels: npt.NDArray[Any]) -> float:
        """Estimate the typical diameter of the cells of an image.

        Parameters
        ----------
        pixels : (height, width) or (height, width, 3 or 4)

        Returns
        -------
        float
            In pixels of the image, of a circle with the area of a cell; NaN if no cell
            is seen.

        Raises
        ------
        ValueError
            If this is no image.
        """
        image = torch.from_numpy(self._model.prepare(grey(pixels)))
        return self._look(image).cell_diameter_px

    def _predict_to_scale(self, image: Prepared) -> Answer:
        look = self._look(image.pixels)
        return fetch(self._with_half_turn(look.images, look.maps)[0])

    def _look(self, image: Tensor) -> _Look:
        """Look at an image until its cells are seen at the size that the model knows."""
        model, given, zoom = self._model, image, 1.0
        for _ in range(MOST_LOOKS):
            images = self._on_device(image[None])
            maps = self._maps(images)
            seen_px = seen_diameter_px(fetch(maps[0]).wait())
            look = _Look(images, maps, seen_px / zoom)
            better = next_zoom(
                zoom, seen_px, model.cell_diameter_px, (given.shape[0], given.shape[1])
            )
            if better == zoom:
                break
            zoom = better
            image = torch.from_numpy(model.prepare(resize(given.numpy(), zoom)))
        return look

    def _predict_as_they_are(self, images: Sequence[Tensor]) -> list[Answer]:
        first, *others = images
        stack = self._on_device(torch.stack([first, *others]) if others else first[None])
        return [fetch(one) for one in self._with_half_turn(stack, self._maps(stack))]

    def _on_device(self, images: Tensor) -> Tensor:
        if images[0].numel() > LARGEST_ON_DEVICE_PX:
            return images
        return images.to(self._predict.device, non_blocking=True)

    def _maps(self, images: Tensor) -> Tensor:
        """(n, height, width) distance maps of images."""
        return self._model.tiling.predict(images, self._predict, self.batch_tiles)

    def _with_half_turn(self, images: Tensor, maps: Tensor) -> Tensor:
        """Give the maps of images or, if so set, their mean with those of them turned."""
        if not self._half_turn:
            return maps
        turned = self._maps(images.flip(1, 2)).flip(1, 2)
        return (maps + turned) / 2

    def finish(self, prepared: Prepared, answer: Answer) -> Segmentation:
        """Turn the network's answer into cells: the third stage."""
        distance = self._on_the_image(prepared, answer)
        markers = self._model.markers
        labels = split_cells(
            distance,
            peak_threshold=self.peak_threshold,
            fill_threshold=self.fill_threshold,
            prominence=self.prominence,
            min_area_px=prepared.min_area_px,
            fill_holes=self._settings.fill_holes,
            drop_border_cells=self._settings.drop_border_cells,
            markers=None if markers is None else markers(distance > self.peak_threshold),
        )
        return Segmentation(labels, distance, self.making)

    def n_tiles(self, prepared: Prepared) -> int:
        """Tiles that an image is cut into, before any second look or half turn."""
        height_px, width_px = prepared.pixels.shape
        return self._model.tiling.n_tiles((height_px, width_px))

    @property
    def batch_tiles(self) -> int:
        """Tiles that go through the network at once; fewer once memory was short."""
        return self._predict.batch_tiles

    def _on_the_image(self, prepared: Prepared, answer: Answer) -> DistanceMap:
        distance = answer.wait()
        if not np.isfinite(distance).all():
            raise ValueError(
                f"The network {self._model.name} answered NaN or infinity for this image. "
                f"Its weights are damaged, or {self.making.device} computes wrongly in "
                f"{self.making.precision}: try float32."
            )
        return resize_to(distance, prepared.shape_px)

    def _zoom(self, pixel_size_um: float) -> float:
        """Factor that brings the user's cells to the size that the model knows."""
        if self._settings.cell_diameter_px is not None:
            return self._model.cell_diameter_px / self._settings.cell_diameter_px
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


def _first(chosen: T | None, default: T) -> T:
    return default if chosen is None else chosen


def _require_pixel_size(pixel_size_um: float, setting: str, value: float) -> None:
    if not (math.isfinite(pixel_size_um) and pixel_size_um > 0):
        raise ValueError(
            f"{setting} is {value}, but the image's pixel size is {pixel_size_um} um. "
            f"Give the pixel size, or leave {setting} unset."
        )
