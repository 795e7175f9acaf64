"""The command line as a user meets it, and a configuration to give it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner, Result

from samcell_live.cli import app


def command(*arguments: object) -> Result:
    """Run ``samcell-live`` in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def config(folder: Path, **changes: Any) -> Path:
    """Write the configuration of a tiny simulated run."""
    settings = {
        "name": "tiny",
        "microscope": {
            "kind": "simulated",
            "image_height_px": 96,
            "image_width_px": 128,
            "speed": 36000,
        },
        "sequence": {"channels": ["phase"], "time_plan": {"interval": 0.1, "loops": 3}},
    } | changes
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path
