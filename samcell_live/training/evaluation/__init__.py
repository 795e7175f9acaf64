"""Judging segmentations by the truth: sources, scores, and the page that shows them."""

from __future__ import annotations

from samcell_live.training.evaluation.evaluation import Evaluation, evaluate
from samcell_live.training.evaluation.sources import open_predictions, open_truth

__all__ = ["Evaluation", "evaluate", "open_predictions", "open_truth"]
