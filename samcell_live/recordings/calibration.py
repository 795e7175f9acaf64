"""Pixel sizes: what a user says, and what a TIFF file carries where it can be trusted."""

from __future__ import annotations

import logging
import math

import tifffile

logger = logging.getLogger(__name__)

PLAUSIBLE_UM = (0.01, 50.0)
"""A light microscope's pixels; 72 dots per inch would be 353 um."""

_UM_PER_UNIT = {"nm": 1e-3, "µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0, "mm": 1e3}
_UM_PER_RESOLUTION_UNIT = {2: 25_400.0, 3: 10_000.0}
"""TIFF's ResolutionUnit: inch, centimetre."""


def refuse_unless_positive(name: str, value: float | None) -> None:
    """Refuse a length or a time that cannot be; None is one that is not known.

    Raises
    ------
    ValueError
        If the value is not a number above 0; the message names it.
    """
    if value is not None and not 0 < value < math.inf:
        raise ValueError(
            f"The {name} is {value}, but must be above 0. Leave it out if it is not known."
        )


def tiff_pixel_size_um(file: tifffile.TiffFile) -> float | None:
    """Pixel size from OME-XML, ImageJ's calibration or the resolution tags.

    Returns
    -------
    float or None
        None where the file has none, where pixels are not square within 1 %, or where
        the size is no light microscope's.
    """
    sizes = _ome_sizes_um(file) or _imagej_sizes_um(file) or _tag_sizes_um(file)
    if sizes is None:
        return None
    x_um, y_um = sizes
    low, high = PLAUSIBLE_UM
    if abs(x_um - y_um) > 0.01 * x_um or not low <= x_um <= high:
        logger.info(
            "Not trusted: a pixel size of %g x %g um in %s", x_um, y_um, file.filename
        )
        return None
    return x_um


def _ome_sizes_um(file: tifffile.TiffFile) -> tuple[float, float] | None:
    if not file.is_ome or file.ome_metadata is None:
        return None
    images = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
    pixels = (images[0] if isinstance(images, list) else images)["Pixels"]
    if "PhysicalSizeX" not in pixels or "PhysicalSizeY" not in pixels:
        return None
    unit_x = _UM_PER_UNIT.get(pixels.get("PhysicalSizeXUnit", "µm"))
    unit_y = _UM_PER_UNIT.get(pixels.get("PhysicalSizeYUnit", "µm"))
    if unit_x is None or unit_y is None:
        return None
    return float(pixels["PhysicalSizeX"]) * unit_x, float(pixels["PhysicalSizeY"]) * unit_y


def _imagej_sizes_um(file: tifffile.TiffFile) -> tuple[float, float] | None:
    unit = (file.imagej_metadata or {}).get("unit", "")
    scale = _UM_PER_UNIT.get(str(unit).replace("\\u00B5", "µ"))
    return None if scale is None else _per_pixel(file, scale)


def _tag_sizes_um(file: tifffile.TiffFile) -> tuple[float, float] | None:
    if file.is_imagej:
        return None  # its resolution tags are in ImageJ's own unit
    tag = file.pages.first.tags.get("ResolutionUnit")
    scale = _UM_PER_RESOLUTION_UNIT.get(int(tag.value)) if tag is not None else None
    return None if scale is None else _per_pixel(file, scale)


def _per_pixel(file: tifffile.TiffFile, um_per_unit: float) -> tuple[float, float] | None:
    tags = file.pages.first.tags
    sizes: list[float] = []
    for name in ("XResolution", "YResolution"):
        pixels, units = tags[name].value if name in tags else (0, 1)
        if pixels == 0:
            return None
        sizes.append(um_per_unit * units / pixels)
    return sizes[0], sizes[1]
