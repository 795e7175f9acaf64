"""Single images in, label images out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tifffile

from samcell_live.recordings.calibration import refuse_unless_positive
from samcell_live.recordings.image_file import read_header, read_pixels
from samcell_live.records import NAN
from samcell_live.segmentation.segmenter import load_segmenter
from samcell_live.settings import SegmentationSettings


def segment_images(
    images: Sequence[Path],
    folder: Path,
    settings: SegmentationSettings,
    pixel_size_um: float | None = None,
) -> Iterator[tuple[Path, int]]:
    """Segment image files one by one, each into ``STEM_labels.tif`` in `folder`.

    A label image is written under another name first, so that a file with its final
    name is complete.

    Parameters
    ----------
    images : sequence of Path
        PNG, TIFF or JPEG files.
    folder : Path
        Made if needed.
    settings : SegmentationSettings
    pixel_size_um : float, optional
        Where given, it goes before what the files say.

    Yields
    ------
    image : Path
    n_cells : int

    Raises
    ------
    ValueError
        If a file is no image, two have the same stem, the pixel size is not above 0 or
        the model cannot be loaded: nothing is written then. Or if the pixels of a file
        cannot be decoded.
    """
    refuse_unless_positive("pixel size in um", pixel_size_um)
    headers = {path: read_header(path) for path in images}
    _refuse_equal_stems(images)
    segment = load_segmenter(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for path, header in headers.items():
        size_um = pixel_size_um or header.pixel_size_um or NAN
        labels = segment(read_pixels(path), size_um).labels
        n_cells = int(labels.max(initial=0))
        target = folder / f"{path.stem}_labels.tif"
        partial = target.with_suffix(".partial.tif")
        dtype = np.uint16 if n_cells <= np.iinfo(np.uint16).max else np.uint32
        tifffile.imwrite(partial, labels.astype(dtype), compression="zlib")
        partial.replace(target)
        yield path, n_cells


def _refuse_equal_stems(images: Sequence[Path]) -> None:
    stem, times = Counter(path.stem for path in images).most_common(1)[0]
    if times > 1:
        raise ValueError(
            f"{times} of the images are named {stem}, so their label images would be one "
            "file. Segment them in separate calls, each with its own --out."
        )
