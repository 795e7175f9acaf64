"""Which reader a folder needs."""

from __future__ import annotations

from pathlib import Path

from samcell_live.store import layout
from samcell_live.training.data.cell_tracking import read_cell_tracking, sequences
from samcell_live.training.data.labelled import DataSet
from samcell_live.training.data.livecell import coco_files, read_livecell
from samcell_live.training.data.pairs import read_pairs
from samcell_live.training.data.run_store import CORRECTED, read_run


def open_data(path: Path, *, labels: str = CORRECTED) -> DataSet:
    """Find the labelled images of a place, whatever their format; see ``docs/data.md``.

    Parameters
    ----------
    path : Path
        A run store, a COCO file or the folder of LIVECell, a folder of the Cell Tracking
        Challenge, or one of images and masks, Cellpose's included.
    labels : str
        Name of the labels that are the truth in a run store.

    Returns
    -------
    DataSet
        No image has been read yet.

    Raises
    ------
    ValueError
        If nothing is there, or it is none of these.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist. Give a folder of labelled images.")
    if (path / layout.SAMCELL / "zarr.json").is_file():
        return read_run(path, labels)
    if path.is_dir() and sequences(path):
        return read_cell_tracking(path)
    if coco_files(path):
        return read_livecell(path)
    return read_pairs(path)
