"""Watch living cell cultures while a microscope acquires them."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from samcell_live.microscope.monitor import monitor

__version__ = version("samcell-live")
__all__ = ["__version__", "monitor"]


def __getattr__(name: str) -> Any:
    """Import the microscope only for those who ask for it."""
    if name == "monitor":
        from samcell_live.microscope.monitor import monitor

        return monitor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
