"""Settings are refused with a reason, and say how each variant is trained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import command

import samcell_live
from samcell_live.training.ablation.paper import SCORES, Study
from samcell_live.training.ablation.plan import make_plan
from samcell_live.training.ablation.settings import AblationSettings, Variant

EXAMPLE = Path(samcell_live.__file__).with_name("models") / "ablation.yaml"


def settings(**changes: Any) -> AblationSettings:
    given = yaml.safe_load(EXAMPLE.read_text()) | changes
    return AblationSettings.model_validate(given)


def with_weights(*trained_on: list[str]) -> AblationSettings:
    """The example with weights for the baseline's place in each column, and one study."""
    known = [{"trained_on": names, "path": "samcell-generalist"} for names in trained_on]
    return settings(weights=known, studies={"initial": ["pretrained"]})


EVERYTHING = (["LIVECell"], ["Cyto"], ["LIVECell", "Cyto"])


def test_the_example_asks_for_every_row_of_the_paper() -> None:
    studies = settings().studies
    labels = {
        *((Study.TRAINED_ON, " + ".join(names)) for names in studies.trained_on),
        *((Study.MODEL, f"SAM-{model}") for model in studies.model),
        *((Study.PATCH, f"{side} x {side}") for side in studies.patch_px),
        *((Study.INITIAL, initial) for initial in studies.initial),
    }

    assert labels == {(study, label) for study, label, _ in SCORES}


def test_the_example_of_the_docs_needs_no_training() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "ablation.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", docs, re.DOTALL)

    plan = make_plan(AblationSettings.model_validate(yaml.safe_load(example)))

    assert [row.label for row in plan.rows] == ["Cyto", "Cyto + LIVECell"]


def test_a_misspelt_key_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    path = tmp_path / "ablation.yaml"
    path.write_text(EXAMPLE.read_text() + "\nstudys: {}\n")

    result = command("ablate", path, "--out", tmp_path / "out")

    assert result.exit_code == 2
    assert "studys is not a setting here" in result.output
    assert not (tmp_path / "out").exists()


def test_folders_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ablation.yaml"
    path.write_text(EXAMPLE.read_text())

    places = AblationSettings.from_yaml(path).data_sets["LIVECell"]

    assert places.train == places.test == tmp_path / "LIVECell_dataset_2021"


def test_a_variant_is_trained_on_its_data_from_its_start_with_its_patches() -> None:
    variant = Variant(trained_on=("Cyto",), model="L", patch_px=512)

    training = settings().finetuning(variant, Path("prepared"))

    assert training.images == (Path("cellpose"),)
    assert (training.start, training.patch_px) == ("sam-vit-l", 512)
    assert training.steps == 25_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trainings": {}}, "trainings"),
        ({"training": {"start": "sam-vit-b"}}, "training sets start, which the studies"),
        ({"training": {"stepps": 3}}, "stepps"),
        ({"training": {"devices": 2}}, "asks for 2 devices"),
    ],
)
def test_bad_settings_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings(**changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "H"}, "no model 'H'; models are B, L"),
        ({"model": "L", "initial": "random"}, "model L starts from random weights"),
        ({"trained_on": ["PBL-HEK"]}, "where to train on 'PBL-HEK'"),
    ],
)
def test_what_cannot_be_trained_is_refused(change: dict[str, Any], message: str) -> None:
    variant = settings().baseline.changed(**change)

    with pytest.raises(ValueError, match=message):
        settings().finetuning(variant, None)


def test_a_data_set_may_be_judged_with_weights_of_its_own() -> None:
    plan = make_plan(with_weights(*EVERYTHING))

    (row,) = plan.rows
    assert plan.judged_on == ("LIVECell", "Cyto", "PBL-HEK", "PBL-N2a")
    assert [variant.trained_on for variant in row.variants] == [
        ("LIVECell",),
        ("Cyto",),
        ("Cyto", "LIVECell"),
        ("Cyto", "LIVECell"),
    ]


def test_what_two_rows_share_is_done_once() -> None:
    cells = make_plan(with_weights(*EVERYTHING)).cells

    assert len(cells) == len(set(cells)) == 4


def test_folders_to_train_on_must_be_there() -> None:
    with pytest.raises(ValueError, match="LIVECell_dataset_2021 does not exist"):
        make_plan(settings())


def test_without_a_study_there_is_nothing_to_do() -> None:
    with pytest.raises(ValueError, match="No study is asked for"):
        make_plan(settings(studies={}))
