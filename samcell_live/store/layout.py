"""Where everything in a run store lies. Nothing else knows.

::

    RUN.ome.zarr/
      0/  or  A/1/0/               one image per view (a position, or a grid tile of one)
        0                          raw   [t, c, (z,) y, x]
        labels/<analysis>/0        cells [t, 1, (1,) y, x]
      OME/                         bioformats2raw series list (runs without a plate)
      samcell/                     the plan, as attributes
        frames/<column>            owned by the acquisition, one row per slot
        analyses/<analysis>/
          series/<column>          owned by that worker, one row per slot
          cells                    [slot, label, column]
        processes/<role>/          heartbeat and health of each process, as attributes
        firings                    what the rules did, as attributes
"""

from __future__ import annotations

from pathlib import PurePosixPath

SAMCELL = PurePosixPath("samcell")
FRAMES = SAMCELL / "frames"
FIRINGS = SAMCELL / "firings"
OME = PurePosixPath("OME")
SCHEMA_VERSION = "1"


def raw(view: str) -> PurePosixPath:
    """Full-resolution raw array of one view, given the path of its image group."""
    return PurePosixPath(view) / "0"


def label_group(view: str, analysis: str) -> PurePosixPath:
    """Label image group of one view."""
    return PurePosixPath(view) / "labels" / analysis


def labels(view: str, analysis: str) -> PurePosixPath:
    """Full-resolution label array of one view."""
    return label_group(view, analysis) / "0"


def frame_column(name: str) -> PurePosixPath:
    """One column of what the acquisition knows of each frame."""
    return FRAMES / name


def analysis(name: str) -> PurePosixPath:
    """Group of one analysis; its attributes say how it was made."""
    return SAMCELL / "analyses" / name


def series(analysis_name: str) -> PurePosixPath:
    """Group of the growth series of one analysis."""
    return analysis(analysis_name) / "series"


def series_column(analysis_name: str, name: str) -> PurePosixPath:
    """One column of the growth series."""
    return series(analysis_name) / name


def cells(analysis_name: str) -> PurePosixPath:
    """Cell table of one analysis."""
    return analysis(analysis_name) / "cells"


def process(role: str) -> PurePosixPath:
    """Heartbeat and health of one process."""
    return SAMCELL / "processes" / role
