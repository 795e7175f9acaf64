"""A folder of images as a recording: one image per timepoint, a subfolder per position."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from samcell_live.recordings.image_file import (
    IMAGE_SUFFIXES,
    ImageHeader,
    is_image,
    natural_order,
    read_header,
    read_pixels,
)
from samcell_live.recordings.recording import Unreadable
from samcell_live.records import NAN, Frame, FrameKey, FrameRow
from samcell_live.store.plan import Channel, RunPlan, View

logger = logging.getLogger(__name__)


class FolderRecording:
    """Images in a folder, in natural order of their names.

    Images directly in the folder are the timepoints of one position; where there are
    none, each subfolder with images is a position. ``*_mask.*`` and files that are no
    images are left out, and named in the log.

    Parameters
    ----------
    folder : Path
    pixel_size_um, interval_s : float, optional
        Above 0: what the files do not tell. A pixel size given here goes before theirs.

    Raises
    ------
    ValueError
        If the folder has no images, one cannot be read, or they differ in size or type.
    """

    def __init__(
        self,
        folder: Path,
        *,
        pixel_size_um: float | None = None,
        interval_s: float | None = None,
    ) -> None:
        positions = _positions(folder)
        self._paths = {
            FrameKey(t=t, p=p): path
            for p, paths in enumerate(positions.values())
            for t, path in enumerate(paths)
        }
        header = _common_header(list(self._paths.values()))
        n_timepoints = max(map(len, positions.values()))
        self.plan = RunPlan(
            name=folder.resolve().name,
            source="replay",
            shape_tpgczcam=(n_timepoints, len(positions), 1, 1, 1, 1),
            height_px=header.height_px,
            width_px=header.width_px,
            dtype=header.dtype,
            bits=8 if header.dtype == "uint8" else 16,
            pixel_size_um=pixel_size_um or header.pixel_size_um,
            views=tuple(
                View(path=str(p), name=name, p=p) for p, name in enumerate(positions)
            ),
            channels=(Channel(name="image"),),
            interval_s=interval_s,
            duration_s=None if interval_s is None else interval_s * (n_timepoints - 1),
        )

    @property
    def keys(self) -> Sequence[FrameKey]:
        """Frames that there are files for, in slot order."""
        return sorted(self._paths, key=self.plan.shape.slot)

    def frames(self) -> Iterator[Frame | Unreadable]:
        """Read the images one by one; one that cannot be decoded stops no other."""
        return map(self._frame, self.keys)

    def _frame(self, key: FrameKey) -> Frame | Unreadable:
        try:
            pixels = read_pixels(self._paths[key])
        except ValueError as error:
            return Unreadable(key, str(error))
        interval_s = self.plan.interval_s
        elapsed_s = NAN if interval_s is None else key.t * interval_s
        pixel_size_um = self.plan.pixel_size_um or NAN
        return Frame(key, pixels, pixel_size_um, FrameRow(elapsed_s=elapsed_s))


def _positions(folder: Path) -> dict[str, list[Path]]:
    """Images of each position, by the position's name."""
    images = _images(folder)
    if images:
        return {folder.resolve().name: images}
    subfolders = sorted(filter(Path.is_dir, folder.iterdir()), key=natural_order)
    positions = {one.name: found for one in subfolders if (found := _images(one))}
    if not positions:
        raise ValueError(
            f"{folder} has no images, neither directly nor in its subfolders. Give a run "
            f"store, or a folder with {', '.join(sorted(IMAGE_SUFFIXES))} files."
        )
    return positions


def _images(folder: Path) -> list[Path]:
    files = sorted(filter(Path.is_file, folder.iterdir()), key=natural_order)
    images = list(filter(_is_frame, files))
    if len(images) < len(files):
        skipped = (path.name for path in files if not _is_frame(path))
        logger.info("Left out of %s: %s", folder, ", ".join(skipped))
    return images


def _is_frame(path: Path) -> bool:
    """Whether a file is an image, and neither hidden nor a mask of one."""
    hidden, mask = path.name.startswith("."), path.match("*_mask.*")
    return is_image(path) and not (hidden or mask)


def _common_header(paths: list[Path]) -> ImageHeader:
    """Size, type and calibration that all images share."""
    first = read_header(paths[0])
    pixel_sizes_um = {first.pixel_size_um}
    for path in paths[1:]:
        header = read_header(path)
        if _kind(header) != _kind(first):
            raise ValueError(
                f"{path} is {_kind(header)}, but {paths[0]} is {_kind(first)}. All images "
                "need one size and type; move the others to a folder of their own."
            )
        pixel_sizes_um.add(header.pixel_size_um)
    if len(pixel_sizes_um) == 1:
        return first
    logger.warning("Not trusted: the images tell different pixel sizes")
    return replace(first, pixel_size_um=None)


def _kind(header: ImageHeader) -> str:
    return f"{header.height_px} x {header.width_px} (height x width) {header.dtype}"
