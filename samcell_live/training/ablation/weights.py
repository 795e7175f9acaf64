"""Weights of a variant: those that are there, or else trained. Nothing else trains."""

from __future__ import annotations

import json
import threading
from hashlib import sha256
from typing import TYPE_CHECKING

from samcell_live.segmentation.weights import find_weights
from samcell_live.training.finetune.settings import HARDWARE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from samcell_live.training.ablation.settings import AblationSettings, Variant
    from samcell_live.training.finetune.losses import Step

PREPARED, RUNS = "prepared", "weights"


def find_or_train(
    variant: Variant,
    settings: AblationSettings,
    folder: Path,
    *,
    device: str = "auto",
    on_step: Callable[[Variant, Step], None] = lambda variant, step: None,
    stop: threading.Event | None = None,
) -> Path | None:
    """Give the weights of a variant, trained if need be.

    Training that was stopped goes on; training that was finished is not repeated.

    Parameters
    ----------
    variant : Variant
    settings : AblationSettings
    folder : Path
        Of the ablation. Each training has a folder of its own there, named after the
        variant and all settings that decide its weights.
    device : str
    on_step : callable
        Told of each optimiser step.
    stop : threading.Event, optional
        Set it to end, with a checkpoint, after the optimiser step at hand.

    Returns
    -------
    Path or None
        None if it was stopped.

    Raises
    ------
    ValueError, RuntimeError
        As `finetune` does.
    OSError
        If weights cannot be fetched.
    """
    for known in settings.weights:
        if known.variant == variant:
            return find_weights(known.path)
    # Lightning is needed to train only.
    from samcell_live.training.finetune.export import BEST
    from samcell_live.training.finetune.loop import Listeners
    from samcell_live.training.finetune.report import SUMMARY
    from samcell_live.training.finetune.run import finetune

    training = settings.finetuning(variant, folder / PREPARED)
    decisive = training.model_dump(mode="json", exclude=set(HARDWARE))
    digest = sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    run_folder = folder / RUNS / f"{describe(variant)}-{digest[:8]}"
    weights = run_folder / BEST
    if (run_folder / SUMMARY).exists():  # written last
        return weights
    listeners = Listeners(
        on_step=lambda step: on_step(variant, step), stop=stop or threading.Event()
    )
    report = finetune(training, run_folder, device=device, listeners=listeners)
    return weights if report else None


def describe(variant: Variant) -> str:
    """Name a variant, fit for a folder."""
    data = "+".join(variant.trained_on)
    return f"{data}-{variant.model}-{variant.patch_px}px-{variant.initial}"
