"""Weights of models: named, fetched, checked, kept."""

from __future__ import annotations

from samcell_live.segmentation.weights.lookup import find_weights

__all__ = ["find_weights"]
