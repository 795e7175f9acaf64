"""LIVECell, and other data whose truth is a COCO file."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from samcell_live.training.data.coco import CocoObject, draw_objects
from samcell_live.training.data.image_files import file_version, is_image, read_pixels
from samcell_live.training.data.labelled import ALL, SPLITS, DataSet, LabelledImage, Truth

_SPLIT = re.compile(rf"({'|'.join(SPLITS)})$")
_NAMED_AS_COCO = re.compile(rf"(coco|livecell|annotation|instances|({'|'.join(SPLITS)})$)")


def read_livecell(path: Path) -> DataSet:
    """Read COCO files and find their images.

    Parameters
    ----------
    path : Path
        A COCO file, or a folder with some in it or in its ``annotations``: for each part
        one whose name ends in it, such as LIVECell's ``livecell_coco_train.json``. Images
        are looked for by name in all of the folder; for a single file beside it and in
        an ``images`` folder up to three levels above.

    Raises
    ------
    ValueError
        If there is no COCO file, several are of one part, or one is no COCO file. An
        image that is missing is an error when it is read.
    """
    files = coco_files(path)
    if not files:
        raise ValueError(
            f"{path} has no COCO file, such as livecell_coco_train.json. Give the folder "
            "that it is in, or the file itself."
        )
    found = _images_by_stem(path)
    images = [image for file in files for image in _images(file, _split(file), found)]
    return DataSet(path, "LIVECell (COCO)", tuple(images))


def coco_files(path: Path) -> tuple[Path, ...]:
    """COCO files of a data set, judged by their names; none if it has none.

    Raises
    ------
    ValueError
        If several are of one part.
    """
    if path.is_file():
        return (path,)
    places = [*path.glob("*.json"), *path.glob("annotations/**/*.json")]
    named = sorted(file for file in places if _NAMED_AS_COCO.search(file.stem))
    whole = [file for file in named if file.stem.startswith("livecell_coco_")]
    files = whole or named
    splits = [_split(file) for file in files]
    if len(set(splits)) < len(splits):
        raise ValueError(
            f"{path} has several COCO files of one part: "
            f"{', '.join(str(file.relative_to(path)) for file in files)}. Name one file."
        )
    return tuple(sorted(files, key=lambda file: (*SPLITS, ALL).index(_split(file))))


def _split(file: Path) -> str:
    found = _SPLIT.search(file.stem)
    return found[1] if found else ALL


def _images_by_stem(path: Path) -> dict[str, Path]:
    """Images by their names without suffix, which COCO files and folders disagree on."""
    if path.is_dir():
        candidates: Iterator[Path] = path.rglob("*")
    else:
        folders = [above / "images" for above in list(path.parents)[:3]]
        beside = [file for folder in folders for file in folder.rglob("*")]
        candidates = iter([*path.parent.glob("*"), *beside])
    return {file.stem: file for file in candidates if is_image(file)}


def _images(file: Path, split: str, found: Mapping[str, Path]) -> Iterator[LabelledImage]:
    """Images of one COCO file. LIVECell lists some twice, with other annotations each."""
    contents = _read_json(file)
    objects: dict[int, list[CocoObject]] = defaultdict(list)
    for one in _objects(contents["annotations"]):
        objects[one.image_id].append(one)
    n_seen: dict[str, int] = defaultdict(int)
    for entry in contents["images"]:
        stem = Path(entry["file_name"]).stem
        n_seen[stem] += 1
        image = found.get(stem, file.parent / entry["file_name"])
        draw = partial(
            _draw, file, stem, objects[entry["id"]], entry["height"], entry["width"]
        )
        yield LabelledImage(
            name=stem if n_seen[stem] == 1 else f"{stem} (entry {n_seen[stem]})",
            split=split,
            version=file_version(image, file),
            read_pixels=partial(read_pixels, image),
            read_truth=draw,
        )


def _draw(
    file: Path, stem: str, objects: Sequence[CocoObject], height_px: int, width_px: int
) -> Truth:
    try:
        return draw_objects(objects, height_px, width_px)
    except ValueError as error:
        raise ValueError(f"{file}, {stem}: {error}") from error


def _read_json(file: Path) -> dict[str, Any]:
    """Read a COCO file; annotations become `CocoObject` as they are met.

    LIVECell's are 70 million numbers: in arrays they need a quarter of the memory.
    """
    try:
        contents = json.loads(file.read_bytes(), object_hook=_compact)
        lists = contents["images"], contents["annotations"]
        complete = all({"id", "file_name", "height", "width"} <= set(i) for i in lists[0])
        complete &= all(isinstance(one, CocoObject) for one in _objects(lists[1]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file} is no COCO file ({type(error).__name__}: {error}). It needs images "
            "and annotations with segmentations."
        ) from error
    if not complete:
        raise ValueError(
            f"{file} is no complete COCO file: each image needs id, file_name, height and "
            "width, each annotation image_id and segmentation."
        )
    return dict(contents)


def _objects(annotations: Any) -> Sequence[Any]:
    """Annotations, which LIVECell's files of single cell lines list by their ids."""
    return list(annotations.values()) if isinstance(annotations, dict) else annotations


def _compact(entry: dict[str, Any]) -> Any:
    if not {"image_id", "segmentation"} <= entry.keys():
        return entry
    shape = entry["segmentation"]
    if isinstance(shape, list):
        shape = tuple(np.array(part, dtype=np.float64) for part in shape)
    return CocoObject(entry["image_id"], shape, bool(entry.get("iscrowd", 0)))
