"""See that a model can be loaded before anything is begun, without torch where possible.

A run is begun by the process that acquires, often a program of the user's own. torch would
keep it waiting for seconds and take hundreds of MB there, and only the worker needs it.
"""

from __future__ import annotations

from samcell_live.segmentation.conversion import unwrap
from samcell_live.segmentation.headers import StarterHeader, is_safetensors, read_contents
from samcell_live.segmentation.recognition import refuse_other_networks
from samcell_live.segmentation.weights import find_weights
from samcell_live.settings import SegmentationSettings


def check_model(settings: SegmentationSettings) -> None:
    """See that `load_segmenter` will find what it needs.

    A published weights file is fetched, and what it holds is looked up; no network is
    built. torch is imported for a file that it saved, and to ask for a GPU by name or a
    reduced precision.

    Parameters
    ----------
    settings : SegmentationSettings

    Raises
    ------
    ValueError
        If the model is unknown, its file is damaged, or the device is not there or lacks
        the precision.
    OSError
        If its file cannot be fetched.
    """
    if settings.device in ("cuda", "mps") or settings.precision in ("bfloat16", "float16"):
        from samcell_live.segmentation.inference import check_precision, choose_device

        check_precision(settings.precision, choose_device(settings.device))
    path = find_weights(settings.model)
    if not is_safetensors(path):
        from samcell_live.segmentation.formats import read_weights

        read_weights(path)
        return
    contents = read_contents(path)
    if not isinstance(contents.header, StarterHeader):
        refuse_other_networks(path, unwrap(dict.fromkeys(contents.names)))
