"""Readers of recorded runs: folders of images, and our own stores."""

from __future__ import annotations

from pathlib import Path

from samcell_live.recordings.calibration import refuse_unless_positive
from samcell_live.recordings.folder import FolderRecording
from samcell_live.recordings.recording import Recording
from samcell_live.recordings.store import StoreRecording, is_run_store

__all__ = ["Recording", "open_recording"]


def open_recording(
    source: Path, *, pixel_size_um: float | None = None, interval_s: float | None = None
) -> Recording:
    """Open a recorded run, whatever kept it. Reads headers only; writes nothing.

    Parameters
    ----------
    source : Path
        A folder of images, or a run store.
    pixel_size_um : float, optional
        Goes before what the recording says of itself.
    interval_s : float, optional
        Time between the images of a folder; a run store knows its own times.

    Raises
    ------
    ValueError
        If nothing can be replayed from there, or a number is not above 0; the message
        says why.
    """
    if not source.is_dir():
        raise ValueError(
            f"{source} is not a folder. Give a folder of images, or a run store."
        )
    refuse_unless_positive("pixel size in um", pixel_size_um)
    refuse_unless_positive("interval in s", interval_s)
    if is_run_store(source):
        return StoreRecording(source, pixel_size_um=pixel_size_um)
    return FolderRecording(source, pixel_size_um=pixel_size_um, interval_s=interval_s)
