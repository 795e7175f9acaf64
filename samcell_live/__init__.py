"""Watch living cell cultures while a microscope acquires them."""

from importlib.metadata import version

__version__ = version("samcell-live")
