"""Judge label images by the truth: image by image, and all cells together."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from samcell_live.records import NAN
from samcell_live.training.evaluation.label_files import named_alike
from samcell_live.training.evaluation.sources import Predictions, Truth
from samcell_live.training.metrics import LabelImage, pool, pool_hits
from samcell_live.training.metrics.counts import relative_error
from samcell_live.training.scores import (
    FieldScore,
    mean_known,
    score_challenge_field,
    score_field,
)

MOST_NAMES = 5
"""Images that are named where all would be too many."""


class Quality(NamedTuple):
    """The measures between 0 (worst) and 1; NaN where the truth does not define them."""

    seg: float
    det: float
    op_csb: float
    ap50: float
    mean_ap: float
    f1: float


MEASURES = ("SEG", "DET", "OP_CSB", "AP50", "AP", "F1")
"""What papers call the fields of `Quality`; AP is their mean over the thresholds."""


class Pairing(NamedTuple):
    """Which images can be compared."""

    both: tuple[str, ...]
    missing: tuple[str, ...]
    """Truth without a prediction."""
    extra: tuple[str, ...]
    """Predictions without truth."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of all images that there is truth for, and where to read these again."""

    predictions: Predictions
    """Named as the truth is."""
    truth: Truth
    scores: tuple[FieldScore, ...]
    """In the order of the truth."""
    missing: tuple[str, ...] = ()
    """Images without a prediction. They count as if no cell had been found."""
    left_out: tuple[str, ...] = ()
    """Predictions without truth."""

    def pooled(self) -> Quality:
        """All cells of all images together: every cell weighs the same.

        So does the Cell Tracking Challenge; these are the headline numbers.
        """
        outlined = pool(one.outlined for one in self.scores if one.outlined)
        detected = pool(one.detected for one in self.scores if one.detected)
        hits = pool_hits(one.hits for one in self.scores if one.hits)
        return Quality(
            outlined.seg,
            detected.det,
            (outlined.seg + detected.det) / 2,
            hits.ap50,
            hits.mean_ap,
            hits.f1,
        )

    def mean(self) -> Quality:
        """Mean over the images: every image weighs the same; NaN are left out."""
        return Quality(
            *(
                mean_known([getattr(one, measure) for one in self.scores])
                for measure in Quality._fields
            )
        )

    def average_precision(self) -> tuple[float, ...]:
        """AP of all cells together at each of `IOU_PERCENTS`."""
        return pool_hits(one.hits for one in self.scores if one.hits).average_precision

    @property
    def count_error(self) -> float:
        """Mean over the images of abs(found / true - 1): how far off one image is.

        Images without true cells have none and are left out.
        """
        return mean_known([abs(one.count_error) for one in self.scores])

    @property
    def count_bias(self) -> float:
        """Cells found over cells there, of all images together, minus 1: which way."""
        known = [one for one in self.scores if not np.isnan(one.true_cell_count)]
        true, found = self.true_cell_count, sum(one.cell_count for one in known)
        return relative_error(true, found) if known else NAN

    @property
    def confluence_error(self) -> float:
        """Mean over the images of abs(found - true): 0.02 is 2 points of the field."""
        return mean_known([abs(one.confluence_error) for one in self.scores])

    @property
    def confluence_bias(self) -> float:
        """Mean over the images of found - true."""
        return mean_known([one.confluence_error for one in self.scores])

    @property
    def true_cell_count(self) -> float:
        """Cells there are; NaN if the truth leaves cells out everywhere."""
        known = [one.true_cell_count for one in self.scores]
        return float(np.nansum(known)) if not np.isnan(known).all() else NAN

    @property
    def cell_count(self) -> int:
        """Cells found."""
        return sum(one.cell_count for one in self.scores)

    def read_labels(self, name: str) -> tuple[LabelImage, LabelImage]:
        """Read the truth of an image, outlines if there are any, and its prediction.

        Returns
        -------
        reference, result : (height, width) integer
            A missing prediction is zeros.
        """
        return _read_pair(name, self.predictions, self.truth)

    def worst_first(self) -> list[FieldScore]:
        """Scores in the order in which a person should look at the images."""
        return sorted(self.scores, key=lambda one: (np.isnan(rank(one)), rank(one)))


def rank(score: FieldScore) -> float:
    """OP_CSB; where it is undefined the first that is not of SEG, DET and F1.

    An image without true cells has F1 alone: 0 if cells were found, else NaN.
    """
    measures = (score.op_csb, score.seg, score.det, score.f1)
    return next((one for one in measures if not np.isnan(one)), NAN)


def pair(predicted: Collection[str], truth: Truth, *, missing_ok: bool = False) -> Pairing:
    """See which images have both a prediction and truth.

    Parameters
    ----------
    predicted : collection of str
        Names of the images that have, or will have, a prediction.
    truth : Truth
    missing_ok : bool
        Whether one without the other is no error.

    Raises
    ------
    ValueError
        If no image has both; or one side is missing and `missing_ok` is not set.
        The challenge outlines cells of some frames only, so that there predictions without
        truth are no error.
    """
    names = truth.names
    pairing = Pairing(
        tuple(name for name in names if name in predicted),
        tuple(name for name in names if name not in predicted),
        tuple(name for name in predicted if name not in names),
    )
    if not pairing.both:
        raise ValueError(
            f"No prediction has the name of an image of {truth.title}: predictions are "
            f"{few(tuple(predicted))}; truth is {few(tuple(names))}. Name both after "
            "their images."
        )
    unmatched = pairing.missing or (truth.outlines_all and pairing.extra)
    if unmatched and not missing_ok:
        raise ValueError(
            f"Without a prediction: {few(pairing.missing)}; without truth: "
            f"{few(pairing.extra)}. Complete them, or give --missing-ok: then what has no "
            "prediction counts as nothing found, and what has no truth is left out."
        )
    return pairing


def evaluate(
    predictions: Predictions,
    truth: Truth,
    *,
    missing_ok: bool = False,
    on_image: Callable[[FieldScore], None] = lambda _: None,
) -> Evaluation:
    """Score predictions against the truth.

    Parameters
    ----------
    predictions : Predictions
    truth : Truth
    missing_ok : bool
        As for `pair`. An image without a prediction counts as one in which no cell was
        found, so that leaving out images never raises a score.
    on_image : callable
        Told of every image that is scored.

    Raises
    ------
    ValueError
        As `pair` does; if both are the same files; if a label image cannot be read, or
        does not fit its truth.
    """
    _refuse_itself(predictions, truth)
    predictions = replace(
        predictions,
        labels=named_alike(predictions.labels, truth.names),
        pictures=named_alike(predictions.pictures, truth.names),
    )
    pairing = pair(predictions.labels, truth, missing_ok=missing_ok)
    scores = []
    for name in truth.names:
        scores.append(_score(name, predictions, truth))
        on_image(scores[-1])
    return Evaluation(predictions, truth, tuple(scores), pairing.missing, pairing.extra)


def _read_pair(
    name: str, predictions: Predictions, truth: Truth
) -> tuple[LabelImage, LabelImage]:
    read_truth = truth.outlines.get(name) or truth.markers[name]
    reference = read_truth()
    read_prediction = predictions.labels.get(name)
    return reference, read_prediction() if read_prediction else np.zeros_like(reference)


def _score(name: str, predictions: Predictions, truth: Truth) -> FieldScore:
    reference, result = _read_pair(name, predictions, truth)
    try:
        if truth.outlines_all:
            return score_field(name, reference, result)
        read_markers = truth.markers.get(name)
        return score_challenge_field(
            name,
            result,
            outlines=reference if name in truth.outlines else None,
            markers=read_markers() if read_markers else None,
        )
    except ValueError as error:
        raise ValueError(f"Image {name} cannot be scored: {error}") from error


def _refuse_itself(predictions: Predictions, truth: Truth) -> None:
    ours = {path.resolve() for path in predictions.files}
    same = [path for path in truth.files if path.resolve() in ours]
    if same:
        raise ValueError(
            f"{truth.title} is on both sides ({same[0].name}), so it "
            "would be compared with itself. Give the predictions' own folder or analysis, "
            "or --model to segment the images there."
        )


def few(names: tuple[str, ...]) -> str:
    """Name some, and say how many more there are."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return (", ".join(names[:MOST_NAMES]) or "none") + more
