"""The command ``evaluate``: how well cells are found, by the field's own measures."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from samcell_live.cli.console import (
    err,
    explains_errors,
    out,
    print_json,
    progress_bars,
    stopping,
    work,
)
from samcell_live.cli.models import fetch_with_progress
from samcell_live.cli.offline import DiameterOption, JsonOption
from samcell_live.settings import SegmentationSettings

if TYPE_CHECKING:
    import threading

    from samcell_live.training.evaluation import Evaluation
    from samcell_live.training.evaluation.sources import Predictions, Truth

SEGMENTED = "predictions"
"""Folder, beside the scores, for what a model found."""


@explains_errors
def evaluate(
    predictions: Annotated[
        Path,
        typer.Argument(help="Label images or a run store; with --model, images."),
    ],
    truth: Annotated[
        Path,
        typer.Argument(help="Label images, a challenge's 01_GT, or a run store."),
    ],
    *,
    folder: Annotated[
        Path, typer.Option("--out", help="Folder for the scores.", file_okay=False)
    ] = Path("evaluation"),
    model: Annotated[
        str | None,
        typer.Option("--model", help="Segment the images with this model first."),
    ] = None,
    diameter_um: DiameterOption = None,
    pixel_size_um: Annotated[
        float | None,
        typer.Option("--pixel-size-um", help="Micrometres a pixel, before what files say."),
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"], typer.Option(help="For --model.")
    ] = "auto",
    analysis: Annotated[
        str | None, typer.Option(help="Of a store of predictions, if it has several.")
    ] = None,
    truth_analysis: Annotated[
        str | None, typer.Option(help="Of a store of truth, if it has several.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="Images to draw over, if not those beside.", file_okay=False),
    ] = None,
    missing_ok: Annotated[
        bool,
        typer.Option("--missing-ok", help="A missing prediction counts as nothing found."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Score predictions against the truth: SEG, DET, OP_CSB, AP, F1, count, confluence.

    Writes images.csv, summary.json and the page index.html, with the worst images first.
    """
    from samcell_live.training.evaluation import open_predictions, open_truth
    from samcell_live.training.evaluation.report import summary, write_evaluation
    from samcell_live.training.evaluation.sources import read_pictures

    judged_by = open_truth(truth, truth_analysis)
    with work() as begun:
        if model is None:
            judged = open_predictions(predictions, analysis)
        else:
            settings = SegmentationSettings(
                model=model, cell_diameter_um=diameter_um, device=device
            )
            files = _images_to_segment(predictions, judged_by, missing_ok=missing_ok)
            labels = _segment(files, settings, folder / SEGMENTED, pixel_size_um, begun)
            judged = _predictions(f"{model} on {predictions}", files, labels)
        if images is not None:
            judged = replace(judged, pictures=read_pictures(images))
        evaluation = _score(judged, judged_by, missing_ok=missing_ok)
        begun.set()
        written = write_evaluation(folder, evaluation)
    _say_scores(evaluation, written.page)
    if json:
        print_json(**summary(evaluation), files=[str(file) for file in written])


def _images_to_segment(folder: Path, truth: Truth, *, missing_ok: bool) -> dict[str, Path]:
    """Images that there is truth for, by name; refuses before any time is spent."""
    from samcell_live.training.evaluation.evaluation import pair
    from samcell_live.training.evaluation.label_files import find_pictures, named_alike

    found = find_pictures(folder) if folder.is_dir() else {}
    if not found:
        raise ValueError(
            f"{folder} has no images to segment. With --model, give a folder of images; a "
            "run store is segmented by samcell-live analyse."
        )
    images = named_alike(found, truth.names)
    pairing = pair(images, truth, missing_ok=missing_ok)
    return {name: images[name] for name in pairing.both}


def _segment(
    images: dict[str, Path],
    settings: SegmentationSettings,
    folder: Path,
    pixel_size_um: float | None,
    begun: threading.Event,
) -> dict[str, Path]:
    """Segment images into a folder; give the label images of those that did not fail."""
    from samcell_live.recordings.image_results import FailedImage, Outputs
    from samcell_live.recordings.segment_images import segment_images
    from samcell_live.segmentation.segmenter import load_segmenter
    from samcell_live.segmentation.stream import outcomes

    fetch_with_progress(settings.model)
    stream = partial(outcomes, load_segmenter(settings))
    outputs = Outputs(folder, pixel_size_um, overlay=False)
    names = {path: name for name, path in images.items()}
    labels: dict[str, Path] = {}
    with (
        stopping() as stop,
        progress_bars(disable=False) as bars,
        closing(segment_images(list(names), stream, outputs, stop=stop)) as steps,
    ):
        for result in bars.track(steps, len(names), description="segmented"):
            begun.set()
            if isinstance(result, FailedImage):
                failure = f"[bold red]Failed:[/] {escape(str(result))}"
                bars.console.print(failure, soft_wrap=True)
            else:
                labels[names[result.task.image]] = outputs.labels_file(result.task.stem)
        if stop.is_set():
            raise RuntimeError(
                f"Stopped with {len(labels)} of {len(names)} images segmented in {folder}; "
                "nothing was scored."
            )
    return labels


def _predictions(
    title: str, images: dict[str, Path], labels: dict[str, Path]
) -> Predictions:
    from samcell_live.training.evaluation.label_files import read_plane
    from samcell_live.training.evaluation.sources import Predictions, label_readers

    return Predictions(
        title,
        label_readers(labels),
        files=tuple(labels.values()),
        pictures={name: partial(read_plane, path) for name, path in images.items()},
    )


def _score(predictions: Predictions, truth: Truth, *, missing_ok: bool) -> Evaluation:
    from samcell_live.training.evaluation import evaluate

    with progress_bars(disable=False) as bars:
        task = bars.add_task("scored", total=len(truth.names))
        return evaluate(
            predictions,
            truth,
            missing_ok=missing_ok,
            on_image=lambda score: bars.advance(task),
        )


def _say_scores(evaluation: Evaluation, page: Path) -> None:
    """Print the headline; what the truth does not define is n/a."""
    from samcell_live.training.evaluation.evaluation import MEASURES, few

    quality = zip(MEASURES, evaluation.pooled(), strict=True)
    out.print("  ".join(f"{name} {_say(value, '.3f')}" for name, value in quality))
    out.print(
        f"count off by {_say(evaluation.count_error, '.1%')} an image, "
        f"confluence by {_say(evaluation.confluence_error, '.1%')} of the field "
        f"({len(evaluation.scores)} images)"
    )
    if evaluation.missing:
        err.print(escape(f"Counted as nothing found: {few(evaluation.missing)}"))
    if evaluation.left_out:
        err.print(escape(f"Without truth, left out: {few(evaluation.left_out)}"))
    err.print(escape(f"Page: {page}"), soft_wrap=True)


def _say(value: float, form: str) -> str:
    return "n/a" if math.isnan(value) else format(value, form)
