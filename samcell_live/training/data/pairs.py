"""Folders in which each image has a label image beside it: ours, Cellpose's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from samcell_live.training.data.image_files import (
    file_version,
    is_image,
    read_labels,
    read_pixels,
)
from samcell_live.training.data.labelled import ALL, SPLITS, DataSet, LabelledImage


class Naming(NamedTuple):
    """How a mask and its image are told by the ends of their names."""

    mask: str
    image: str
    format: str


NAMINGS = (
    Naming("_masks", "_img", "Cellpose folder"),
    Naming("_cp_masks", "", "Cellpose folder"),
    Naming("_masks", "", "Cellpose folder"),
    Naming("_mask", "", "images and masks"),
    Naming("_labels", "", "images and labels"),
)
"""Cellpose's data set ends its images in ``_img``; what its program saves does not.
``_labels`` is what ``samcell-live segment`` writes."""

NO_IMAGES = ("_flows", "_overlay", "_distance")
"""Ends of the names of other pictures that Cellpose and ``samcell-live segment`` make."""


def read_pairs(folder: Path) -> DataSet:
    """Find images with masks in a folder, or in its parts ``train``, ``val``, ``test``.

    Parameters
    ----------
    folder : Path
        With ``NAME.png`` and ``NAME_mask.png``, ``NAME_img.png`` and ``NAME_masks.png``,
        ``NAME.tif`` and ``NAME_masks.tif``, and so on; one way of naming per folder, in
        any format of images.

    Raises
    ------
    ValueError
        If there is no mask. A mask without its image is an error when it is read.
    """
    parts = _parts(folder)
    if not parts:
        raise ValueError(
            f"{folder} has no NAME_mask.png beside a NAME.png, and no NAME_masks.png "
            "beside a NAME_img.png. Give a folder of such pairs of image and labelled "
            f"cells, or one with such folders {', '.join(SPLITS)} in it."
        )
    images: list[LabelledImage] = []
    alone: list[str] = []
    for part in parts:
        pairs = _pairs(part)
        images += [_labelled(part.split, image, mask) for mask, image in pairs.items()]
        alone += [str(path.relative_to(folder)) for path in _alone(part, pairs)]
    return DataSet(folder, parts[0].naming.format, tuple(images), tuple(alone))


class _Part(NamedTuple):
    split: str
    folder: Path
    naming: Naming


def _parts(folder: Path) -> list[_Part]:
    """The folder itself, if it has masks; else those of its parts that have."""
    naming = _naming(folder)
    if naming:
        return [_Part(ALL, folder, naming)]
    inside = [(split, folder / split) for split in SPLITS if (folder / split).is_dir()]
    found = [(split, part, _naming(part)) for split, part in inside]
    return [_Part(split, part, naming) for split, part, naming in found if naming]


def _naming(folder: Path) -> Naming | None:
    """How images and masks are named in a folder; None if it has no masks."""
    stems = {path.stem for path in _images(folder)}
    candidates = [
        naming for naming in NAMINGS if any(_ends(stem, naming) for stem in stems)
    ]
    for naming in candidates:
        names = [stem.removesuffix(naming.mask) for stem in stems if _ends(stem, naming)]
        if any(name + naming.image in stems for name in names):
            return naming
    # Masks that have all lost their images are to be named, not overlooked.
    return candidates[0] if candidates else None


def _ends(stem: str, naming: Naming) -> bool:
    return stem.endswith(naming.mask) and stem != naming.mask


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_image(path))


def _pairs(part: _Part) -> dict[Path, Path]:
    """Image, which need not be there, of each mask."""
    images = _images(part.folder)
    by_stem = {path.stem: path for path in images}
    pairs = {}
    for mask in images:
        if _ends(mask.stem, part.naming):
            stem = mask.stem.removesuffix(part.naming.mask) + part.naming.image
            pairs[mask] = by_stem.get(stem, mask.with_stem(stem))
    return pairs


def _alone(part: _Part, pairs: Mapping[Path, Path]) -> list[Path]:
    """Images that have no mask."""
    taken = {*pairs, *pairs.values()}
    others = [path for path in _images(part.folder) if path not in taken]
    return [path for path in others if not path.stem.endswith(NO_IMAGES)]


def _labelled(split: str, image: Path, mask: Path) -> LabelledImage:
    return LabelledImage(
        name=image.stem.removesuffix("_img"),
        split=split,
        version=file_version(image, mask),
        read_pixels=partial(read_pixels, image),
        read_truth=partial(read_labels, mask),
    )
