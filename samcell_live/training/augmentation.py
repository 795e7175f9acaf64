"""Crops that look like other microscopes, other cells and other days."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import cv2
import numpy as np

from samcell_live.segmentation.preprocess import standardise

if TYPE_CHECKING:
    import numpy.typing as npt
    from numpy.random import Generator

    from samcell_live.records import DistanceMap
    from samcell_live.segmentation.preprocess import GreyImage
    from samcell_live.training.fields import Field, Source
    from samcell_live.training.settings import TrainingSettings

Change: TypeAlias = "Callable[[GreyImage, Generator], GreyImage]"

EMPTY = 0.03
"""Part of the crops that show no culture at all."""
ZOOMS = (0.15, 4.0)
"""No crop is reduced or enlarged further."""


STRETCHES = 0.25
"""Crops are made longer along a line, and narrower across, by 2 to this power at most."""


class Crop(NamedTuple):
    """What the network sees, and what it should say."""

    image: GreyImage
    distance: DistanceMap


def draw_crop(
    sources: tuple[Source, ...], settings: TrainingSettings, random: Generator
) -> Crop:
    """Draw a crop from a source, in proportion to the sources' shares.

    It is zoomed so that its typical cell has a diameter drawn from the settings'
    distribution, whatever it had in its field.

    Parameters
    ----------
    sources : tuple of Source
    settings : TrainingSettings
    random : numpy Generator
        All chance comes from here.
    """
    if random.random() < EMPTY:
        nothing = np.zeros((settings.crop_px, settings.crop_px), np.float32)
        return Crop(_restyle(_nothing(nothing.shape, random), random), nothing)
    shares = np.array([source.share for source in sources])
    source = sources[random.choice(len(sources), p=shares / shares.sum())]
    field = source.fields[random.integers(len(source.fields))]
    octaves = settings.diameter_octaves * np.clip(random.standard_normal(), -2.5, 2.5)
    found_px = np.nan_to_num(field.typical_diameter_px, nan=settings.diameter_px)
    zoom = np.clip(settings.diameter_px * 2**octaves / found_px, *ZOOMS)
    crop = _place(field, settings.crop_px, float(zoom), random)
    return crop._replace(image=_restyle(crop.image, random))


def _place(field: Field, side_px: int, zoom: float, random: Generator) -> Crop:
    """Cut out a turned, stretched, perhaps mirrored square; beyond the edge, reflect.

    The target is warped with the image: depth is relative to each cell's deepest pixel,
    so it stays true under turning and enlarging, and nearly so if stretched a little.
    Strong reductions go by way of more than the size, so that every pixel counts.
    """
    oversize = max(1, round(1 / zoom))
    drawn_px = side_px * oversize
    stretch = STRETCHES * np.clip(random.standard_normal(), -2, 2) / 2
    sizes = np.array([random.choice([-1.0, 1.0]) * 2**stretch, 2**-stretch])
    centre = _centre(field, random)
    step = 1 / (zoom * oversize)
    turn = step * _turn(random) @ np.diag(sizes) @ _turn(random)
    shift = centre - turn @ np.full(2, (drawn_px - 1) / 2)
    from_crop = np.column_stack([turn, shift])

    def warp(plane: GreyImage) -> GreyImage:
        drawn = cv2.warpAffine(
            plane,
            from_crop,
            (drawn_px, drawn_px),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        shrunk = cv2.resize(drawn, (side_px, side_px), interpolation=cv2.INTER_AREA)
        return np.asarray(shrunk, dtype=np.float32)

    return Crop(warp(field.image), warp(field.distance))


def _turn(random: Generator) -> npt.NDArray[np.float64]:
    angle = random.uniform(-np.pi, np.pi)
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def _centre(field: Field, random: Generator) -> npt.NDArray[np.float64]:
    """Draw the middle of a crop as (x, y): mostly inside a cell, where there is one."""
    height, width = field.image.shape
    tries = random.uniform(0, 1, size=(1 + random.integers(12), 2)) * (width, height)
    in_cell = field.labels[tries[:, 1].astype(int), tries[:, 0].astype(int)] > 0
    return np.asarray(tries[int(np.argmax(in_cell))])


def _nothing(shape: tuple[int, int], random: Generator) -> GreyImage:
    """Draw what an empty field looks like once its contrast is stretched: smooth noise."""
    image = np.zeros(shape, np.float32)
    for _ in range(random.integers(1, 4)):
        noise = random.standard_normal(shape, dtype=np.float32)
        sigma_px = float(np.exp(random.uniform(np.log(0.3), np.log(30))))
        smooth = _blurred(noise, sigma_px)
        image += smooth / smooth.std() * np.float32(random.uniform(0.2, 1))
    return standardise(image)


def _restyle(image: GreyImage, random: Generator) -> GreyImage:
    """Change what another microscope, another day or another dish would."""
    for probability, change in CHANGES:
        if random.random() < probability:
            image = change(image, random)
    contrast, brightness = random.uniform(0.7, 1.4), random.uniform(-0.3, 0.3)
    return np.asarray(image * contrast + brightness, dtype=np.float32)


def _relief(image: GreyImage, random: Generator) -> GreyImage:
    """Light it from one side, as differential interference contrast does."""
    angle, kept = random.uniform(-np.pi, np.pi), random.uniform(0, 0.3)
    slope_x, slope_y = _slopes(image, random.uniform(0.5, 2.0))
    relief = np.cos(angle) * slope_x + np.sin(angle) * slope_y
    return standardise(np.asarray(standardise(relief) + kept * image, dtype=np.float32))


def _edges(image: GreyImage, random: Generator) -> GreyImage:
    """Show edges alone, as dark field or a stain of membranes does."""
    return standardise(np.hypot(*_slopes(image, random.uniform(0.5, 2.0))))


def _filtered(image: GreyImage, random: Generator) -> GreyImage:
    """Filter it as no microscope does: shapes stay, textures and edges change.

    Random convolutions (Xu et al., Robust and Generalizable Visual Representation
    Learning via Random Convolutions, ICLR 2021).
    """
    side = random.choice([3, 5, 7])
    kernel = random.standard_normal((side, side)) / side
    filtered = standardise(np.asarray(cv2.filter2D(image, -1, kernel), np.float32))
    kept = np.float32(random.uniform(0, 0.7))
    return standardise(kept * image + (1 - kept) * filtered)


def _halo(image: GreyImage, random: Generator) -> GreyImage:
    """Surround everything with its opposite, as phase rings do."""
    wide = _blurred(image, random.uniform(3, 20))
    return standardise(image - np.float32(random.uniform(0.4, 1.2)) * wide)


def _dirt(image: GreyImage, random: Generator) -> GreyImage:
    """Strew specks, smaller than cells, that are not to be found."""
    specks = np.zeros_like(image)
    for _ in range(random.integers(1, 30)):
        x, y = (int(random.integers(side)) for side in image.shape[::-1])
        height = random.choice([-1, 1]) * random.uniform(0.5, 5)
        cv2.circle(specks, (x, y), int(random.integers(0, 4)), height, thickness=-1)
    return image + _blurred(specks, random.uniform(0.5, 1.2))


def _blur(image: GreyImage, random: Generator) -> GreyImage:
    return _blurred(image, random.uniform(0.4, 2.5))


def _bend(image: GreyImage, random: Generator) -> GreyImage:
    """Apply a gamma curve between the darkest and the brightest pixel."""
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return image
    span, gamma = high - low, random.uniform(0.6, 1.6)
    return np.asarray(((image - low) / span) ** gamma * span + low, dtype=np.float32)


def _shade(image: GreyImage, random: Generator) -> GreyImage:
    """Add slow unevenness of the light."""
    coarse = random.normal(0, random.uniform(0.1, 0.8), size=(3, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, image.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(image + smooth, dtype=np.float32)


def _noise(image: GreyImage, random: Generator) -> GreyImage:
    noise = random.standard_normal(image.shape, dtype=np.float32)
    return image + noise * np.float32(random.uniform(0.02, 0.5))


def _invert(image: GreyImage, _random: Generator) -> GreyImage:
    return -image


def _stretch(image: GreyImage, _random: Generator) -> GreyImage:
    """Standardise the crop as if it were the image; otherwise its field was."""
    return standardise(image)


CHANGES: tuple[tuple[float, Change], ...] = (
    (0.1, _relief),
    (0.05, _edges),
    (0.1, _filtered),
    (0.12, _halo),
    (0.15, _dirt),
    (0.3, _blur),
    (0.3, _bend),
    (0.4, _shade),
    (0.4, _noise),
    (0.5, _invert),
    (0.5, _stretch),
)
"""What may happen to a crop, in this order, with its probability."""


def _slopes(image: GreyImage, sigma_px: float) -> tuple[GreyImage, GreyImage]:
    smooth = _blurred(image, sigma_px)
    slope_x = cv2.Scharr(smooth, cv2.CV_32F, 1, 0)
    slope_y = cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    return np.asarray(slope_x, np.float32), np.asarray(slope_y, np.float32)


def _blurred(image: GreyImage, sigma_px: float) -> GreyImage:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), dtype=np.float32)
