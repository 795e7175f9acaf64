"""Random squares of prepared images of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samcell_live.training.data.fitting import Plane, pad_to
from samcell_live.training.data.prepared import PreparedArrays

if TYPE_CHECKING:
    from numpy.random import Generator

    from samcell_live.training.data.prepared import PreparedData, PreparedImage


def random_crop(
    data: PreparedData, image: PreparedImage, side_px: int, random: Generator
) -> PreparedArrays:
    """Read a square from anywhere in an image; every place is as likely.

    Padding is left out where the image is large enough without. An image that is smaller
    than the square is padded below and on the right with its median; that is ignored.

    Parameters
    ----------
    data : PreparedData
    image : PreparedImage
        One of them.
    side_px : int
        Height and width of the crop; SAMCell takes 256.
    random : numpy Generator
        All chance comes from here.

    Returns
    -------
    PreparedArrays
        Each (side_px, side_px).
    """
    top = random.integers(max(image.height_px - side_px, 0) + 1)
    left = random.integers(max(image.width_px - side_px, 0) + 1)
    rows, columns = slice(top, top + side_px), slice(left, left + side_px)
    found = data.read(image, (rows, columns))
    if found.labels.shape == (side_px, side_px):
        return found
    plane = pad_to(Plane(found.pixels, found.labels, found.ignored), side_px)
    missing = [(0, side_px - side) for side in found.labels.shape]
    return PreparedArrays(
        plane.pixels, plane.labels, np.pad(found.distance, missing), plane.ignored
    )
