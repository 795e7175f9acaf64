"""Watch living cell cultures while a microscope acquires them."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from samcell_live.microscope.monitor import monitor
    from samcell_live.microscope.remaining import remaining
    from samcell_live.segmentation.segmenter import Segmenter

__version__ = version("samcell-live")
__all__ = ["Segmenter", "__version__", "monitor", "remaining"]

_HOMES = {
    "monitor": "samcell_live.microscope.monitor",
    "remaining": "samcell_live.microscope.remaining",
    "Segmenter": "samcell_live.segmentation.segmenter",
}


def __getattr__(name: str) -> Any:
    """Import the microscope and the networks only for those who ask for them."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
