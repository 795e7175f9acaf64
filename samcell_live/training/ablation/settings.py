"""Which ablation studies are done, on which data. Unset, what there is is the paper's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from samcell_live.settings import Settings
from samcell_live.training.finetune.settings import RANDOM, FinetuneSettings

Initial: TypeAlias = Literal["pretrained", "random"]

TrainedOn: TypeAlias = Annotated[
    tuple[str, ...], Field(min_length=1), AfterValidator(lambda names: tuple(sorted(names)))
]
"""Names of data sets, in the order of the alphabet."""

DECIDED = ("images", "start", "patch_px", "prepared")
"""Settings of fine-tuning that the studies decide."""


class DataSetPlaces(Settings):
    """Where one data set lies."""

    train: Path | None = Field(None, description="Labelled images to learn from.")
    test: Path | None = Field(None, description="Labelled images to judge by.")
    split: str = Field("test", description="Part of `test` to use, if it has parts.")
    trained_on: TrainedOn | None = Field(
        None,
        description="Judged with weights of this training data, where the study is not "
        "about training data. Unset: the baseline's.",
    )


class Variant(Settings):
    """What decides the weights of a network, and the patches that it sees."""

    trained_on: TrainedOn
    model: str = Field("B", description="One of `models`.")
    patch_px: PositiveInt = 256
    initial: Initial = "pretrained"

    def changed(self, **changes: Any) -> Variant:
        """Give another that differs in this."""
        return Variant.model_validate(self.model_dump() | changes)


class KnownWeights(Variant):
    """Weights that are there, and need not be trained."""

    path: str = Field(description="A model's name, or the path of a weights file.")

    @property
    def variant(self) -> Variant:
        """What they are the weights of."""
        return Variant.model_validate(self.model_dump(exclude={"path"}))


class Starts(Settings):
    """What the training of a model starts from: names or paths."""

    pretrained: str
    random: str | None = Field(
        None, description="The word random draws numbers for ViT-B, for no other network."
    )


class Studies(Settings):
    """Values that take the place of the baseline's, one study after another."""

    trained_on: tuple[TrainedOn, ...] = ()
    model: tuple[str, ...] = ()
    patch_px: tuple[PositiveInt, ...] = ()
    initial: tuple[Initial, ...] = ()
    thresholds: bool = Field(False, description="Search the baseline's thresholds, too.")


class AblationSettings(Settings):
    """All ablation studies."""

    data_sets: dict[str, DataSetPlaces]
    baseline: Variant
    studies: Studies
    models: dict[str, Starts] = Field(
        {
            "B": Starts(pretrained="sam-vit-b", random=RANDOM),
            "L": Starts(pretrained="sam-vit-l"),
        }
    )
    weights: tuple[KnownWeights, ...] = Field(
        (), description="Weights that are there. All others are trained."
    )
    training: dict[str, Any] = Field(
        {}, description="Settings of fine-tuning, but for what the studies decide."
    )
    peak_threshold: float = Field(0.47, description="For all scores; the paper's.")
    fill_threshold: float = Field(0.09, description="For all scores; the paper's.")
    step: float = Field(0.01, description="Between thresholds, where they are searched.")

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Read settings from a file; relative paths in it start at the file's own folder.

        Raises
        ------
        ValueError
            As for all settings.
        """
        read = super().from_yaml(path)
        home = path.parent

        def beside(name: str) -> str:
            own = home / Path(name).expanduser()
            return str(own) if own.is_file() else name

        data_sets = {
            name: places.model_copy(
                update={
                    "train": places.train and home / places.train,
                    "test": places.test and home / places.test,
                }
            )
            for name, places in read.data_sets.items()
        }
        weights = tuple(
            known.model_copy(update={"path": beside(known.path)}) for known in read.weights
        )
        models = {
            name: Starts(
                pretrained=beside(it.pretrained), random=it.random and beside(it.random)
            )
            for name, it in read.models.items()
        }
        return read.model_copy(
            update={"data_sets": data_sets, "weights": weights, "models": models}
        )

    @model_validator(mode="after")
    def _training_is_fine_tuning(self) -> Self:
        decided = sorted(set(DECIDED) & set(self.training))
        if decided:
            raise ValueError(
                f"training sets {decided[0]}, which the studies decide. Remove it there."
            )
        trial = FinetuneSettings(images=(Path(),), **self.training)
        if trial.devices > 1:
            raise ValueError(
                f"training asks for {trial.devices} devices, but the studies train on one. "
                "Train such weights with samcell-live finetune, and name them in weights."
            )
        return self

    def finetuning(self, variant: Variant, prepared: Path | None) -> FinetuneSettings:
        """Say how the weights of a variant are trained.

        Raises
        ------
        ValueError
            If there is no such model, start or training data.
        """
        starts = self.models.get(variant.model)
        if starts is None:
            raise ValueError(
                f"There is no model {variant.model!r}; models are {', '.join(self.models)}."
            )
        start: str | None = getattr(starts, variant.initial)
        if start is None:
            raise ValueError(
                f"Nothing says how training of the model {variant.model} starts from "
                f"{variant.initial} weights. Give it a {variant.initial} under models."
            )
        return FinetuneSettings(
            images=tuple(self._training_folder(name) for name in variant.trained_on),
            start=start,
            patch_px=variant.patch_px,
            prepared=prepared,
            **self.training,
        )

    def _training_folder(self, name: str) -> Path:
        places = self.data_sets.get(name)
        if places is None or places.train is None:
            raise ValueError(
                f"Nothing says where to train on {name!r}. Give {name} a train folder "
                "under data_sets, or name the weights that were trained on it in weights."
            )
        return places.train
