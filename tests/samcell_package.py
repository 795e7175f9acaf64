"""The authors' package ``samcell`` 1.2.0, to be run beside this one.

It is installed into a folder of its own, without what it depends on: that is the
development environment's, so that both sides compute with the same torch and OpenCV.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import pooch
import torch

REQUIREMENT = "samcell==1.2.0"
PATIENCE_S = 15


class NotInstalledError(Exception):
    """The package cannot be had here; the message says why."""


def usual_folder() -> Path:
    """Where it is installed once and for all."""
    return Path(pooch.os_cache("samcell_live")) / "samcell-1.2.0"


def install(folder: Path) -> None:
    """Install the package into a folder, if it is not there already.

    Raises
    ------
    NotInstalledError
        If pip cannot.
    """
    if (folder / "samcell").is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        command += ["--no-compile", "--retries", "1", "--timeout", str(PATIENCE_S)]
        command += ["--target", f"{unfinished}/new", REQUIREMENT]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = done.stderr.strip().rpartition("\n")[2]
            raise NotInstalledError(f"pip cannot install {REQUIREMENT}: {reason}")
        Path(unfinished, "new").rename(folder)


def load(folder: Path) -> ModuleType:
    """Import ``samcell.pipeline`` from the folder.

    The package imports matplotlib, which it asks for only with its training extra and
    which segmenting never calls; where it is missing an empty module stands in.
    """
    if importlib.util.find_spec("matplotlib") is None:
        pyplot = ModuleType("matplotlib.pyplot")
        matplotlib = ModuleType("matplotlib")
        matplotlib.pyplot = pyplot  # type: ignore[attr-defined]
        stand_ins = {"matplotlib": matplotlib, "matplotlib.pyplot": pyplot}
    else:
        stand_ins = {}
    # First, because the folder of a script may hold a module of this name.
    sys.path.insert(0, str(folder))
    sys.modules.update(stand_ins)
    try:
        return importlib.import_module("samcell.pipeline")
    finally:
        sys.path.remove(str(folder))
        for name in stand_ins:
            del sys.modules[name]


def pipeline(package: ModuleType, model: torch.nn.Module, device: str = "cpu") -> Any:
    """Build the package's pipeline around a model that need not be downloaded.

    Parameters
    ----------
    package : module
        ``samcell.pipeline``.
    model : torch.nn.Module
        Answers as transformers' SamModel does.
    device : str
    """
    fetched = SimpleNamespace(from_pretrained=lambda name: sam_processor())
    with mock.patch.object(package, "SamProcessor", fetched):
        return package.SlidingWindowPipeline(
            SimpleNamespace(get_model=lambda: model), device
        )


def sam_processor() -> Any:
    """SAM's processor with the defaults that are also facebook/sam-vit-base's.

    transformers 5 has two: one resizes with Pillow, as did the only one that there was
    when the package was published, the other with torchvision.
    """
    transformers: Any = importlib.import_module("transformers")
    with_pillow = getattr(transformers, "SamImageProcessorPil", None)
    return transformers.SamProcessor((with_pillow or transformers.SamImageProcessor)())
