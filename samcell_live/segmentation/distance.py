"""The distance map that a network learns, made from labelled cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    import numpy.typing as npt

    from samcell_live.records import DistanceMap


def distance_map(labels: npt.NDArray[np.integer]) -> DistanceMap:
    """Give every pixel of a cell its depth inside that cell.

    Depth is the Euclidean distance to the nearest pixel that is not of the same cell,
    so touching cells keep a valley between them, divided by the deepest pixel's.
    The edge of the image is no border: a cell that it cuts rises towards it.

    Parameters
    ----------
    labels : (height, width) integers
        0 on background, a number of its own for each cell; gaps are allowed.

    Returns
    -------
    (height, width) float32
        0 on background, above 0 and up to 1 in cells.

    Notes
    -----
    Equal to the loop of the SAMCell paper's description, which transforms the whole
    image once per cell. The pixel nearest to one in a cell lies in the cell's bounding
    box widened by one pixel, so the box is all that has to be transformed.

    Examples
    --------
    >>> distance_map(np.array([[0, 1, 1, 1, 2, 0]])).tolist()
    [[0.0, 0.5, 1.0, 0.5, 1.0, 0.0]]
    """
    distance = np.zeros(labels.shape, dtype=np.float32)
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        widened = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)
        cell = labels[widened] == label
        depth = ndimage.distance_transform_edt(cell)
        distance[widened][cell] = (depth / depth.max())[cell]
    return distance
