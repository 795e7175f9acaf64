"""Take in weights from anywhere under a name, as our own safetensors."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import torch
from torch import Tensor

import samcell_live
from samcell_live.segmentation.conversion import from_hugging_face, is_hugging_face
from samcell_live.segmentation.formats import Weights, read_weights, write_samcell
from samcell_live.segmentation.headers import SamcellHeader
from samcell_live.segmentation.models import build_starter
from samcell_live.segmentation.network import SamcellNetwork
from samcell_live.segmentation.weights.cache import imported_path
from samcell_live.segmentation.weights.checksum import file_sha256, record_sha256
from samcell_live.segmentation.weights.registry import (
    PUBLISHED,
    STARTER,
    refuse_for_segmenting,
)
from samcell_live.segmentation.weights.terms import terms_of


def import_weights(
    source: Path, name: str, *, terms: str | None = None, replace: bool = False
) -> Path:
    """Keep a copy of a weights file under a name that then serves as a model.

    Weights of SAMCell's network are written in SAM's names, with their numbers as they
    are; a starter network's file is copied as it is.

    Parameters
    ----------
    source : Path
        Weights in any format that `read_weights` reads.
    name : str
        Small letters, digits, ``-`` and ``_``.
    terms : str, optional
        Under which terms they may be used. Unset: those that are known of the file.
    replace : bool
        Whether weights that were imported under this name before are given up.

    Returns
    -------
    Path
        The copy.

    Raises
    ------
    ValueError
        If the name cannot be had, or the file does not make a network that segments.
    FileNotFoundError
        If there is no such file.
    """
    target = imported_path(name)
    _check_name(name, target, replace=replace)
    weights = read_weights(source)
    for model in PUBLISHED.values():
        if model.sha256 == weights.sha256:
            refuse_for_segmenting(model)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _check_numbers(weights.tensors)
        if weights.starter is None:
            _write(weights, source, target, terms)
        else:
            build_starter(weights.tensors, weights.starter)
            unfinished = target.with_name(f"{target.name}.partial")
            shutil.copyfile(source, unfinished)
            unfinished.replace(target)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    record_sha256(target, file_sha256(target))
    return target


def _check_name(name: str, target: Path, *, replace: bool) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(
            f"{name!r} cannot be the name of a model. Use small letters, digits, - and _, "
            "beginning with a letter or a digit."
        )
    if name == STARTER or name in PUBLISHED:
        raise ValueError(f"{name} is the name of another model. Choose another.")
    if target.exists() and not replace:
        raise ValueError(
            f"There are weights named {name} already. Choose another name, or give them up "
            "with --replace."
        )


def _check_numbers(tensors: dict[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(
                f"{name} holds NaN or infinity: training has diverged, or the file is "
                "damaged. Give an earlier checkpoint."
            )


def _write(weights: Weights, source: Path, target: Path, terms: str | None) -> None:
    tensors = weights.tensors
    if is_hugging_face(tensors):
        tensors = from_hugging_face(tensors)
    network = SamcellNetwork.from_tensors(tensors)
    write_samcell(
        target,
        tensors,
        SamcellHeader(
            name=target.stem,
            architecture=network.architecture.name,
            package=f"samcell_live {samcell_live.__version__}",
            source=source.name,
            source_sha256=weights.sha256,
            terms=terms or terms_of(str(source), weights),
            fine_tuning=weights.samcell.fine_tuning if weights.samcell else None,
        ),
    )
