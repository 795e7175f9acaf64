"""Draw how real images become cells, for docs/segmentation.md.

Writes ``docs/images/segmentation_*.png``. DATA is a folder with ``usiigaci/val``,
``bbbc039`` and ``c2c12`` (docs/segmentation.md says where they come from):

    python scripts/segmentation_figures.py DATA
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from skimage.segmentation import expand_labels

from samcell_live.recordings.image_file import read_still
from samcell_live.recordings.overlay import CONTRAST_PERCENTILES, OUTLINE_RGB, outline
from samcell_live.records import DistanceMap, Labels
from samcell_live.segmentation.segmenter import Segmenter, load_segmenter
from samcell_live.segmentation.watershed import find_seeds
from samcell_live.settings import SegmentationSettings

IMAGES = Path(__file__).parents[1] / "docs" / "images"
PANEL_PX, GAP_PX, TITLE_PX, INDENT_PX = 396, 8, 32, 6
TEXT_PX = 18
LEVELS = 64
"""Of grey and of the distance map; few levels keep each picture below 400 kB."""
CELL_RGB = np.array(
    [(230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178),
     (213, 94, 0), (204, 121, 167)]
)  # fmt: skip
"""Okabe and Ito's colours, told apart by every kind of colour vision."""

DOT = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
"""A marker may be a single pixel, and is to be seen."""

Pixels = npt.NDArray[Any]
Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Example:
    """A real image, and the square of it that is shown."""

    name: str
    read: Callable[[Path], Pixels]
    """From the data folder to (height, width)."""
    top_px: int
    left_px: int
    side_px: int
    bar_px: float
    bar_text: str


EXAMPLES = (
    Example(
        "phase_contrast",
        lambda data: read_still(data / "usiigaci" / "val" / "49.png").pixels,
        320, 380, 396, 100 / 0.87, "0.1 mm",
    ),
    Example(
        "nuclei",
        lambda data: read_still(data / "bbbc039" / "004.png").pixels,
        60, 150, 330, 50, "50 px",
    ),
    Example(
        "c2c12",
        lambda data: np.load(data / "c2c12" / "data_small.npz")["images"][6],
        0, 0, 234, 50, "50 px",
    ),
)  # fmt: skip


def main() -> None:
    """Draw every example with the starter network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the data sets")
    data = parser.parse_args().data
    IMAGES.mkdir(parents=True, exist_ok=True)
    for example in EXAMPLES:
        path = IMAGES / f"segmentation_{example.name}.png"
        segmenter = load_segmenter(SegmentationSettings())
        figure = draw_figure(example, example.read(data), segmenter)
        figure.quantize(palette=palette(), dither=Image.Dither.NONE).save(
            path, optimize=True
        )
        print(f"{path.name}: {path.stat().st_size // 1000} kB")


def draw_figure(example: Example, pixels: Pixels, segmenter: Segmenter) -> Image.Image:
    """Image, distance map, markers and masks, two by two."""
    found = segmenter(pixels)
    shown = (
        slice(example.top_px, example.top_px + example.side_px),
        slice(example.left_px, example.left_px + example.side_px),
    )
    grey = enlarged(stretched(pixels)[shown], cv2.INTER_CUBIC)
    distance = enlarged(found.distance[shown], cv2.INTER_LINEAR)
    labels = enlarged(found.labels[shown].astype(np.float32), cv2.INTER_NEAREST)
    markers = find_seeds(found.distance, segmenter.peak_threshold, segmenter.prominence)
    dots = enlarged((markers[shown] > 0).astype(np.uint8), cv2.INTER_NEAREST)
    panels = {
        "1  Image": as_rgb(grey),
        "2  Distance map": in_viridis(distance),
        "3  Markers": with_markers(grey, cv2.dilate(dots, DOT) > 0),
        "4  Masks": with_masks(grey, labels.astype(np.int32)),
    }
    figure = arranged(panels)
    draw_bar(figure, example)
    draw_scale(figure)
    return figure


def stretched(pixels: Pixels) -> Rgb:
    """Grey between two percentiles of the whole image, (height, width) uint8."""
    low, high = np.percentile(pixels, CONTRAST_PERCENTILES)
    return np.asarray(np.clip((pixels - low) / (high - low), 0, 1) * 255, dtype=np.uint8)


def enlarged(plane: Pixels, interpolation: int) -> Pixels:
    """Bring a square to the size of a panel."""
    return np.asarray(cv2.resize(plane, (PANEL_PX, PANEL_PX), interpolation=interpolation))


def as_rgb(grey: Rgb) -> Rgb:
    """Grey as colour."""
    return np.repeat(grey[..., None], 3, axis=2)


def in_viridis(distance: DistanceMap) -> Rgb:
    """Colour a map of 0 to 1."""
    scaled = np.clip(distance * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(scaled, cv2.COLORMAP_VIRIDIS)[..., ::-1])


def with_markers(grey: Rgb, markers: npt.NDArray[np.bool_]) -> Rgb:
    """Fill what seeds cells."""
    picture = as_rgb(grey) // 2
    picture[markers] = OUTLINE_RGB
    return picture


def with_masks(grey: Rgb, cells: Labels) -> Rgb:
    """Tint every cell and draw its outline."""
    picture = as_rgb(grey).astype(np.float32)
    inside = cells > 0
    tint = CELL_RGB[colour_numbers(cells)[cells[inside]]]
    picture[inside] = 0.5 * picture[inside] + 0.5 * tint
    picture[outline(cells)] = 255
    return picture.astype(np.uint8)


def colour_numbers(cells: Labels) -> npt.NDArray[np.intp]:
    """Choose a colour for every label, the background's included; neighbours differ."""
    wide = expand_labels(cells, distance=6)
    sides = (wide[1:], wide[:-1]), (wide[:, 1:], wide[:, :-1])
    pairs = {
        (int(one), int(other))
        for a, b in sides
        for one, other in zip(a[a != b], b[a != b], strict=True)
    }
    chosen = np.zeros(int(cells.max()) + 1, dtype=np.intp)
    for label in range(1, len(chosen)):
        taken = {int(chosen[min(pair)]) for pair in pairs if max(pair) == label}
        order = np.roll(np.arange(len(CELL_RGB)), -label)
        chosen[label] = next((one for one in order if one not in taken), order[0])
    return chosen


def arranged(panels: dict[str, Rgb]) -> Image.Image:
    """Put four panels with their titles two by two on white."""
    side = 2 * PANEL_PX + GAP_PX
    figure = Image.new("RGB", (side, side + 2 * TITLE_PX), "white")
    draw = ImageDraw.Draw(figure)
    for place, (title, panel) in enumerate(panels.items()):
        row, column = divmod(place, 2)
        x = column * (PANEL_PX + GAP_PX)
        y = row * (PANEL_PX + GAP_PX + TITLE_PX)
        draw.text((x + INDENT_PX, y + TITLE_PX // 2), title, "black", font(), anchor="lm")
        figure.paste(Image.fromarray(panel), (x, y + TITLE_PX))
    return figure


def draw_bar(figure: Image.Image, example: Example) -> None:
    """Draw the scale bar into the first panel, white on a dark plate."""
    length = round(example.bar_px * PANEL_PX / example.side_px)
    right, bottom = PANEL_PX - 16, TITLE_PX + PANEL_PX - 14
    draw = ImageDraw.Draw(figure)
    draw.rectangle((right - length - 8, bottom - 32, right + 8, bottom + 8), "black")
    draw.rectangle((right - length, bottom - 4, right, bottom), "white")
    middle = right - length / 2
    draw.text((middle, bottom - 8), example.bar_text, "white", font(), anchor="ms")


def draw_scale(figure: Image.Image) -> None:
    """Draw the colours of the distance map beside its title, from 0 to 1."""
    ramp = in_viridis(np.linspace(0, 1, 100, dtype=np.float32)[None].repeat(12, axis=0))
    right, middle = figure.width - 18, TITLE_PX // 2
    figure.paste(Image.fromarray(ramp), (right - 100, middle - 6))
    draw = ImageDraw.Draw(figure)
    draw.text((right - 106, middle), "0", "black", font(), anchor="rm")
    draw.text((right + 6, middle), "1", "black", font(), anchor="lm")


def palette() -> Image.Image:
    """Colours of the figures, so that greys and the distance map stay in steps."""
    steps = np.linspace(0, 255, LEVELS)
    greys = np.repeat(steps[:, None], 3, axis=1)
    heights = in_viridis((steps[None] / 255).astype(np.float32))[0]
    tints = [(grey + CELL_RGB) / 2 for grey in np.linspace(0, 255, 17)]
    colours = np.vstack([greys, heights, [OUTLINE_RGB], *tints]).round().astype(np.uint8)
    image = Image.new("P", (1, 1))
    image.putpalette(colours.tobytes())
    return image


def font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, so that every machine draws the same."""
    return ImageFont.load_default(TEXT_PX)


if __name__ == "__main__":
    main()
