"""The command ``ablate``: the paper's ablation studies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from samcell_live.cli.console import (
    explains_errors,
    out,
    print_json,
    progress_bars,
    stopping,
    work,
)
from samcell_live.cli.models import fetch_with_progress
from samcell_live.cli.offline import JsonOption
from samcell_live.cli.training import require_lightning
from samcell_live.cli.tuning import DeviceOption

if TYPE_CHECKING:
    from samcell_live.training.ablation.cells import Quality
    from samcell_live.training.ablation.settings import AblationSettings, Variant
    from samcell_live.training.finetune.losses import Step


@explains_errors
def ablate(
    config: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A YAML file.")
    ],
    *,
    folder: Annotated[
        Path,
        typer.Option("--out", help="Gets weights, scores and tables.", file_okay=False),
    ] = Path("ablation"),
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Compare training data, models, patch sizes, initial weights and thresholds.

    Trains what is not trained yet, and prints the paper's tables with our numbers beside
    its own. The same command goes on where it was stopped.
    """
    from samcell_live.training.ablation.run import Listeners
    from samcell_live.training.ablation.run import ablate as run_studies
    from samcell_live.training.ablation.settings import AblationSettings
    from samcell_live.training.ablation.tables import CELLS, markdown, plain, write_tables
    from samcell_live.training.ablation.weights import describe

    settings = AblationSettings.from_yaml(config)
    _get_ready(settings)
    with work() as begun, stopping() as stop, progress_bars(disable=False) as bars:
        task = bars.add_task("scored", total=None)
        training = bars.add_task("trained", total=None, visible=False)

        def show_step(variant: Variant, step: Step) -> None:
            begun.set()
            text = f"{describe(variant)}: loss {step.loss:.5f}"
            bars.update(training, completed=step.step, description=text, visible=True)

        def show_score(variant: Variant, data_set: str, quality: Quality) -> None:
            begun.set()
            bars.advance(task)
            bars.console.print(
                escape(f"{describe(variant)} on {data_set}: OP_CSB {quality.op_csb:.3f}"),
                soft_wrap=True,
            )

        ablation = run_studies(
            settings,
            folder,
            device=device,
            listeners=Listeners(
                lambda n_cells: bars.update(task, total=n_cells),
                show_step,
                show_score,
                stop,
            ),
        )
        path = write_tables(folder, ablation) if ablation else None
    if ablation is None:
        text = f"Stopped. The same command goes on with what is in {folder}."
        out.print(escape(text), soft_wrap=True)
    else:
        out.print(escape(markdown(ablation)), soft_wrap=True)
        out.print(escape(f"{path}, {folder / CELLS}"), soft_wrap=True)
    if json:
        print_json(**({"tables": str(path), **plain(ablation)} if ablation else {}))


def _get_ready(settings: AblationSettings) -> None:
    """See that training is possible where it is needed, and fetch what it starts from."""
    from samcell_live.training.ablation.plan import make_plan
    from samcell_live.training.finetune.settings import RANDOM

    known = {weights.variant: weights.path for weights in settings.weights}
    for variant in dict.fromkeys(variant for variant, _ in make_plan(settings).cells):
        if variant in known:
            fetch_with_progress(known[variant])
            continue
        require_lightning()
        start = settings.finetuning(variant, prepared=None).start
        if start != RANDOM:
            fetch_with_progress(start, for_training=True)
