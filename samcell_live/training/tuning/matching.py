"""Every pair of thresholds scored, at the price of one flood for each peak.

Water that starts from the same markers flows the same way however low it may fall, down
to where it is stopped: above a threshold, a cell of the lowest flood is the cell of the
flood that stops there. Only a hill that the water reaches through lower ground is lost
when the water stops above that ground. So for each pixel it is enough to know its cell in
the lowest flood, and the highest threshold at which the water still reaches it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from samcell_live.records import NAN
from samcell_live.segmentation.flood import flood
from samcell_live.segmentation.watershed import find_seeds
from samcell_live.training.metrics import Matching, Overlaps, match_overlaps
from samcell_live.training.tuning.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from samcell_live.records import DistanceMap, Labels
    from samcell_live.training.tuning.grid import Grid


def match_grid(
    distance: DistanceMap, labels: Labels, grid: Grid, prominence: float = 0
) -> tuple[Matching, ...]:
    """Compare the cells that each pair of thresholds makes with the truth.

    Each is what `match_cells` says of what `split_cells` makes with these thresholds;
    except that markers which compete at exactly equal heights, whose order scikit-image's
    heap settles by chance, may share the pixels between them otherwise.

    Parameters
    ----------
    distance : (height, width) float32
        Predicted.
    labels : (height, width) integer
        The truth.
    grid : Grid
    prominence : float
        The same for each pair.

    Returns
    -------
    tuple of Matching
        For each of ``grid.pairs``.

    Raises
    ------
    ValueError
        If the shapes differ, or the map is of another kind than `flood` takes.
    """
    if distance.shape != labels.shape:
        raise ValueError(
            f"The distance map is {distance.shape} and the truth {labels.shape}; they are "
            "compared pixel by pixel. Give both on the same grid."
        )
    truth = _Truth(labels)
    reach = Reach(distance, grid.fills)
    lowest = np.asarray(distance > grid.fills[0])
    by_peak: dict[float, list[Matching]] = {}
    for peak in reversed(grid.peaks):
        fills = grid.fills_of(peak)
        if not fills:
            break
        markers = find_seeds(distance, peak, prominence)
        cells = flood(distance, markers, lowest, threads=1)
        levels = reach.from_markers(markers)
        tables = truth.overlaps(cells, levels, int(markers.max(initial=0)), len(fills))
        by_peak[peak] = [match_overlaps(table) for table in tables]
    return tuple(matching for peak in sorted(by_peak) for matching in by_peak[peak])


class _Truth:
    """Cells of the truth, to be compared with many floods."""

    def __init__(self, labels: Labels) -> None:
        self._numbers, places = np.unique(labels, return_inverse=True)
        self._places = places.ravel()
        """(n_pixels,) which of the numbers each pixel has."""
        self._areas_px = np.bincount(self._places, minlength=self._numbers.size)

    def overlaps(
        self, cells: Labels, levels: npt.NDArray[np.int16], n_cells: int, n_fills: int
    ) -> Iterator[Overlaps]:
        """Give the table of overlaps at each fill, the lowest first.

        Parameters
        ----------
        cells : (height, width) int32
            Of the lowest flood.
        levels : (height, width) int16
            How many fills each pixel is above, and reached at.
        n_cells, n_fills : int
        """
        inside = np.flatnonzero(levels)
        codes = self._places[inside] * (n_cells + 1) + cells.ravel()[inside]
        pairs, which = _group_runs(codes)
        places, numbers = np.divmod(pairs, n_cells + 1)
        reached = levels.ravel()[inside].astype(np.int64)
        counts = np.bincount(
            which * (n_fills + 1) + np.minimum(reached, n_fills),
            minlength=pairs.size * (n_fills + 1),
        ).reshape(pairs.size, n_fills + 1)
        # At the k-th fill from below a pixel is there if it is reached at k or more.
        shared_px = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1][:, 1:]
        cell_px = np.zeros((n_cells + 1, n_fills), dtype=np.int64)
        np.add.at(cell_px, numbers, shared_px)
        both = self._numbers[places] != 0
        places, numbers, shared_px = places[both], numbers[both], shared_px[both]
        for fill in range(n_fills):
            yield Overlaps(
                n_reference=int(np.count_nonzero(self._numbers)),
                n_result=n_cells,
                reference=places,
                result=numbers,
                shared_px=shared_px[:, fill],
                reference_px=self._areas_px[places],
                result_px=cell_px[numbers, fill],
                reference_covered=NAN,
                result_covered=NAN,
            )


def _group_runs(
    codes: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find the different codes, and which of them each is; neighbours are mostly equal."""
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))[: codes.size]
    found, which = np.unique(codes[starts], return_inverse=True)
    return found, np.repeat(which, np.diff(starts, append=codes.size))
