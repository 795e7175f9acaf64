"""The rows of the tables, and the weights that each needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from samcell_live.training.ablation.paper import Study

if TYPE_CHECKING:
    from collections.abc import Iterator

    from samcell_live.training.ablation.settings import AblationSettings, Variant


class Row(NamedTuple):
    """One row of a study's table."""

    study: Study
    label: str
    variants: tuple[Variant, ...]
    """For each data set that is judged on."""


class Plan(NamedTuple):
    """All that is to be done."""

    judged_on: tuple[str, ...]
    """Names of data sets: the columns."""
    rows: tuple[Row, ...]
    baseline: tuple[Variant, ...]
    """For each column."""

    @property
    def cells(self) -> tuple[tuple[Variant, str], ...]:
        """Every variant and data set to score, once; those of one variant together."""
        rows = [self.baseline, *(row.variants for row in self.rows)]
        wanted = [
            cell for variants in rows for cell in zip(variants, self.judged_on, strict=True)
        ]
        first = list(dict.fromkeys(variant for variant, _ in wanted))
        return tuple(sorted(dict.fromkeys(wanted), key=lambda cell: first.index(cell[0])))


def make_plan(settings: AblationSettings) -> Plan:
    """Lay the studies out, and see that nothing is missing for them.

    Raises
    ------
    ValueError
        If no data set is to be judged on, no study is asked for, or a variant has neither
        weights nor what it takes to train them.
    """
    judged_on = tuple(name for name, it in settings.data_sets.items() if it.test)
    if not judged_on:
        raise ValueError("No data set has a test folder, so there is nothing to judge by.")
    baseline = tuple(_base(settings, name) for name in judged_on)
    rows = tuple(_rows(settings, baseline))
    if not rows and not settings.studies.thresholds:
        raise ValueError("No study is asked for. Give studies values to compare.")
    plan = Plan(judged_on, rows, baseline)
    known = {weights.variant for weights in settings.weights}
    for variant, _ in plan.cells:
        if variant not in known:
            _see_images(settings, variant)
    return plan


def _base(settings: AblationSettings, data_set: str) -> Variant:
    trained_on = settings.data_sets[data_set].trained_on
    return settings.baseline.changed(**({"trained_on": trained_on} if trained_on else {}))


def _rows(settings: AblationSettings, baseline: tuple[Variant, ...]) -> Iterator[Row]:
    studies = settings.studies

    def row(study: Study, label: str, **change: Any) -> Row:
        return Row(study, label, tuple(base.changed(**change) for base in baseline))

    for trained_on in studies.trained_on:
        yield row(Study.TRAINED_ON, " + ".join(trained_on), trained_on=trained_on)
    for model in studies.model:
        yield row(Study.MODEL, f"SAM-{model}", model=model)
    for patch_px in studies.patch_px:
        yield row(Study.PATCH, f"{patch_px} x {patch_px}", patch_px=patch_px)
    for initial in studies.initial:
        yield row(Study.INITIAL, initial, initial=initial)


def _see_images(settings: AblationSettings, variant: Variant) -> None:
    for folder in settings.finetuning(variant, prepared=None).images:
        if not folder.exists():
            raise ValueError(f"{folder} does not exist. Give a folder of labelled images.")
