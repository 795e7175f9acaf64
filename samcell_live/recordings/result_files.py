"""Results as files that other programs open: label images, tables, a workbook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import tifffile
from PIL import Image

from samcell_live.records import Labels, Making

UM_PER_CM = 1e4
DIGITS = "%.7g"
"""More than any of the measurements is good for."""


@contextmanager
def completed(target: Path) -> Iterator[Path]:
    """Give a name to write under; what has its final name is complete.

    Raises
    ------
    OSError
        If the file cannot take its final name, as when Excel holds one of that name
        open; what was written is kept then.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        yield partial
    except BaseException:  # Ctrl-C too leaves no half file
        partial.unlink(missing_ok=True)
        raise
    try:
        partial.replace(target)
    except PermissionError as error:
        raise OSError(
            f"{target} cannot be replaced; another program holds it open, or it is "
            f"write-protected. The new one is {partial}; rename it."
        ) from error


def write_labels(path: Path, labels: Labels, pixel_size_um: float, making: Making) -> None:
    """Write a label image: uint16, or uint32 where there are more than 65,535 cells.

    Parameters
    ----------
    path : Path
    labels : (height, width) int32
    pixel_size_um : float
        NaN where unknown.
    making : Making
        Stands in the file's Software tag, in short.
    """
    fits = labels.max(initial=0) <= np.iinfo(np.uint16).max
    write_plane(
        path, labels.astype(np.uint16 if fits else np.uint32), pixel_size_um, making
    )


def write_plane(
    path: Path, plane: npt.NDArray[Any], pixel_size_um: float, making: Making
) -> None:
    """Write one plane as a TIFF that Fiji opens with its calibration.

    Parameters
    ----------
    path : Path
    plane : (height, width) uint16, uint32 or float32
    pixel_size_um : float
        NaN where unknown.
    making : Making
    """
    imagej = plane.dtype != np.uint32  # of which ImageJ's own format knows nothing
    known = pixel_size_um > 0
    per_um = 1 / pixel_size_um if known else 1.0
    per_unit = per_um if imagej or not known else per_um * UM_PER_CM
    with completed(path) as partial:
        tifffile.imwrite(
            partial,
            plane,
            imagej=imagej,
            photometric="minisblack",
            compression="zlib",
            resolution=(per_unit, per_unit),
            resolutionunit="CENTIMETER" if known and not imagej else "NONE",
            metadata={"unit": "um"} if known and imagej else None,
            software=f"{making.package}, model {making.model} {making.weights_sha256[:12]}",
        )


def write_overlay(path: Path, overlay: Image.Image) -> None:
    """Write a picture as PNG."""
    with completed(path) as partial:
        overlay.save(partial, format="PNG", compress_level=4)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV; what is not known is an empty field."""
    with completed(path) as partial:
        table.to_csv(partial, index=False, float_format=DIGITS)
