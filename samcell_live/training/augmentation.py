"""Crops that look like other microscopes, other cells and other days."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from samcell_live.segmentation.preprocess import standardise

if TYPE_CHECKING:
    import numpy.typing as npt
    from numpy.random import Generator

    from samcell_live.records import DistanceMap
    from samcell_live.segmentation.preprocess import GreyImage
    from samcell_live.training.fields import Field, Source


class Crop(NamedTuple):
    """What the network sees, and what it should say."""

    image: GreyImage
    distance: DistanceMap


def draw_crop(sources: tuple[Source, ...], side_px: int, random: Generator) -> Crop:
    """Draw a crop from a source, in proportion to the sources' shares.

    Parameters
    ----------
    sources : tuple of Source
    side_px : int
        Height and width of the crop.
    random : numpy Generator
        All chance comes from here.
    """
    shares = np.array([source.share for source in sources])
    source = sources[random.choice(len(sources), p=shares / shares.sum())]
    field = source.fields[random.integers(len(source.fields))]
    low, high = np.log(source.zoom)
    crop = _place(field, side_px, float(np.exp(random.uniform(low, high))), random)
    return Crop(_restyle(crop.image, random), crop.distance)


def _place(field: Field, side_px: int, zoom: float, random: Generator) -> Crop:
    """Cut out a turned, perhaps mirrored and enlarged square; beyond the edge, reflect.

    The target is warped with the image: depth is relative to each cell's deepest pixel,
    so it stays true under turning and enlarging. Strong reductions go by way of twice
    the size, so that every pixel counts.
    """
    oversize = 2 if zoom < 0.7 else 1
    drawn_px = side_px * oversize
    angle = random.uniform(-np.pi, np.pi)
    mirror = random.choice([-1.0, 1.0])
    centre = _centre(field, random)
    step = 1 / (zoom * oversize)
    turn = step * np.array(
        [[np.cos(angle) * mirror, -np.sin(angle)], [np.sin(angle) * mirror, np.cos(angle)]]
    )
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


def _centre(field: Field, random: Generator) -> npt.NDArray[np.float64]:
    """Draw the middle of a crop as (x, y): mostly inside a cell, where there is one."""
    height, width = field.image.shape
    tries = random.uniform(0, 1, size=(1 + random.integers(12), 2)) * (width, height)
    in_cell = field.labels[tries[:, 1].astype(int), tries[:, 0].astype(int)] > 0
    return np.asarray(tries[int(np.argmax(in_cell))])


def _restyle(image: GreyImage, random: Generator) -> GreyImage:
    """Change what a microscope would: focus, light, contrast, polarity, noise."""
    if random.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.4, 2.0)).astype(np.float32)
    if random.random() < 0.3:
        image = _bend(image, random.uniform(0.6, 1.6))
    if random.random() < 0.4:
        image = image + _shading(image.shape, random)
    if random.random() < 0.4:
        noise = random.standard_normal(image.shape, dtype=np.float32)
        image = image + noise * np.float32(random.uniform(0.02, 0.5))
    if random.random() < 0.5:
        image = -image
    if random.random() < 0.5:
        image = standardise(image)
    contrast, brightness = random.uniform(0.7, 1.4), random.uniform(-0.3, 0.3)
    return np.asarray(image * contrast + brightness, dtype=np.float32)


def _bend(image: GreyImage, gamma: float) -> GreyImage:
    """Apply a gamma curve between the darkest and the brightest pixel."""
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return image
    span = high - low
    return np.asarray(((image - low) / span) ** gamma * span + low, dtype=np.float32)


def _shading(shape: tuple[int, ...], random: Generator) -> GreyImage:
    """Draw slow unevenness of the light across a crop."""
    coarse = random.normal(0, random.uniform(0.1, 0.8), size=(3, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, dtype=np.float32)
