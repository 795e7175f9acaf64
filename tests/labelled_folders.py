"""Small folders laid out as their makers lay them out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

HEIGHT_PX, WIDTH_PX = 52, 70
"""A tenth of LIVECell's 520 x 704."""


def noise(seed: int, shape: tuple[int, ...] = (HEIGHT_PX, WIDTH_PX)) -> npt.NDArray[Any]:
    """An 8-bit image that equals no other."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def two_cells(shape: tuple[int, int] = (HEIGHT_PX, WIDTH_PX)) -> npt.NDArray[np.uint16]:
    """Two squares of 8 x 8 px, numbered 1 and 2."""
    labels = np.zeros(shape, dtype=np.uint16)
    labels[4:12, 5:13], labels[20:28, 30:38] = 1, 2
    return labels


def box(x: int, y: int, side: int) -> list[list[float]]:
    """Polygon of a square of pixels, as COCO writes it."""
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


def write_coco(path: Path, names: list[str], *annotations: dict[str, Any]) -> None:
    """Write a COCO file; images are numbered from 1."""
    images = [
        {"id": number, "file_name": name, "height": HEIGHT_PX, "width": WIDTH_PX}
        for number, name in enumerate(names, start=1)
    ]
    objects = [
        {"id": number, "image_id": 1, "category_id": 1, "iscrowd": 0} | annotation
        for number, annotation in enumerate(annotations, start=1)
    ]
    contents = {"images": images, "annotations": objects, "categories": []}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(contents))


def livecell_folder(tmp_path: Path) -> Path:
    """LIVECell's folders, with an image in each of its three parts."""
    root = tmp_path / "LIVECell_dataset_2021"
    for number, split in enumerate(("train", "val", "test")):
        name = f"A172_Phase_A7_1_00d0{number}h00m_1.tif"
        kind = "test" if split == "test" else "train_val"
        images = root / "images" / f"livecell_{kind}_images"
        images.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(images / name, noise(number))
        write_coco(
            root / "annotations" / "LIVECell" / f"livecell_coco_{split}.json",
            [name],
            {"segmentation": box(5, 4, 8)},
            {"segmentation": box(30, 20, 8)},
        )
    return root


def cellpose_folder(tmp_path: Path) -> Path:
    """Cellpose's folders: colour images of different sizes."""
    root = tmp_path / "cyto"
    for number, split in enumerate(("train", "train", "test")):
        folder = root / split
        folder.mkdir(parents=True, exist_ok=True)
        shape = (48 + 8 * number, 64)
        cv2.imwrite(str(folder / f"{number:03d}_img.png"), noise(number, (*shape, 3)))
        cv2.imwrite(str(folder / f"{number:03d}_masks.png"), two_cells(shape))
    return root


def cell_tracking_folder(tmp_path: Path) -> Path:
    """A data set of the Cell Tracking Challenge: 01 with gold, 02 with both truths."""
    root = tmp_path / "PhC-C2DH-U373"
    for sequence, kinds in (("01", ["GT"]), ("02", ["GT", "ST"])):
        (root / sequence).mkdir(parents=True)
        for frame in range(3):
            pixels = noise(int(sequence) * 10 + frame)
            tifffile.imwrite(root / sequence / f"t{frame:03d}.tif", pixels)
        for kind in kinds:
            folder = root / f"{sequence}_{kind}" / "SEG"
            folder.mkdir(parents=True)
            frames = range(3) if kind == "ST" else [1]
            for frame in frames:
                tifffile.imwrite(folder / f"man_seg{frame:03d}.tif", two_cells())
    return root


def write_marker(root: Path, sequence: str, y: int, x: int) -> None:
    """Add tracking truth to frame 1: both cells' markers, and one at (y, x)."""
    markers = np.zeros((HEIGHT_PX, WIDTH_PX), dtype=np.uint16)
    markers[7:9, 8:10], markers[23:25, 33:35], markers[y : y + 2, x : x + 2] = 1, 2, 3
    folder = root / f"{sequence}_GT" / "TRA"
    folder.mkdir(parents=True)
    tifffile.imwrite(folder / "man_track001.tif", markers)


def pairs_folder(tmp_path: Path) -> Path:
    """``NN.png`` and ``NN_mask.png``, two of them."""
    root = tmp_path / "pairs"
    root.mkdir()
    for number in range(2):
        cv2.imwrite(str(root / f"{number:02d}.png"), noise(number))
        cv2.imwrite(str(root / f"{number:02d}_mask.png"), two_cells())
    return root
