"""Under which terms weights are given, and with them what is made from them."""

from __future__ import annotations

from pathlib import Path

from samcell_live.segmentation.formats import Weights
from samcell_live.segmentation.weights.cache import cached_path
from samcell_live.segmentation.weights.lookup import published_model
from samcell_live.segmentation.weights.registry import PUBLISHED, STARTER, STARTER_TERMS

UNKNOWN_TERMS = "Not stated: ask who made these weights."


def terms_of(model: str, weights: Weights) -> str:
    """Say the terms of a model's weights, as far as they are known.

    Parameters
    ----------
    model : str
        What `find_weights` found the weights by.
    weights : Weights
    """
    published = published_model(model)
    if published is not None:
        return published.terms
    if model == STARTER:
        return STARTER_TERMS
    if weights.samcell is not None:
        return weights.samcell.terms
    if weights.starter is not None and weights.starter.teacher is not None:
        return weights.starter.teacher.terms
    by_file = {cached_path(known).name: known.terms for known in PUBLISHED.values()}
    return by_file.get(Path(model).name, UNKNOWN_TERMS)
