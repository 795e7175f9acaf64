"""The studies are done end to end, and go on where they were."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml
from command_line import command
from safetensors.torch import save_file

from samcell_live.segmentation.network import SamArchitecture, SamcellNetwork
from samcell_live.simulation.culture import Culture
from samcell_live.simulation.rendering import render_field, true_labels
from samcell_live.training.ablation.run import Ablation, Listeners, ablate
from samcell_live.training.ablation.settings import AblationSettings

pytest.importorskip("lightning", reason="fine-tuning needs the extra train")
pytest.importorskip("tensorboard", reason="fine-tuning needs the extra train")

pytestmark = pytest.mark.slow

TINY_SAM = SamArchitecture(
    width=32, depth=2, heads=2, mlp_ratio=2.0, window=3, global_blocks=(1,), grid=4
)
"""Sees patches of 16 pixels, enlarged to 64."""
SIDE_PX, PIXEL_SIZE_UM = 64, 2.0


def write_culture(folder: Path, seed: int) -> Path:
    """Two photographs of a simulated culture, with its true cells."""
    folder.mkdir(parents=True)
    culture, shape_px = Culture(seed=seed), (SIDE_PX, SIDE_PX)
    for number in range(2):
        hours = 60 + 6 * number
        counts = render_field(
            culture,
            0,
            0,
            0,
            hours,
            shape_px=shape_px,
            pixel_size_um=PIXEL_SIZE_UM,
            bits=12,
        )
        labels = true_labels(
            culture, 0, 0, hours, shape_px=shape_px, pixel_size_um=PIXEL_SIZE_UM
        )
        cv2.imwrite(str(folder / f"{number}.png"), counts)
        cv2.imwrite(str(folder / f"{number}_mask.png"), labels.astype(np.uint16))
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two data sets, two patch sizes, pretrained and random weights, thresholds."""
    home = tmp_path_factory.mktemp("ablation")
    for name, seed in (("one", 1), ("two", 2)):
        write_culture(home / name / "learn", seed)
        write_culture(home / name / "judge", seed + 10)
    for name, seed in (("sam", 1), ("random", 2)):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            tensors = SamcellNetwork(TINY_SAM).state_dict()
        save_file(
            {key: it.contiguous() for key, it in tensors.items()},
            home / f"{name}.safetensors",
        )
    settings = {
        "data_sets": {
            "LIVECell": {"train": "one/learn", "test": "one/judge"},
            "PBL-HEK": {"train": "two/learn", "test": "two/judge"},
        },
        "baseline": {"trained_on": ["PBL-HEK", "LIVECell"], "patch_px": 16},
        "studies": {
            "trained_on": [["LIVECell"]],
            "patch_px": [16, 24],
            "initial": ["pretrained", "random"],
            "thresholds": True,
        },
        "models": {"B": {"pretrained": "sam.safetensors", "random": "random.safetensors"}},
        "training": {
            "steps": 2,
            "warmup_steps": 1,
            "batch": 2,
            "validation_crops": 2,
            "workers": 0,
        },
        "step": 0.05,
    }
    path = home / "ablation.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.fixture(scope="module")
def folder(config: Path) -> Path:
    return config.parent / "out"


@pytest.fixture(scope="module")
def ablation(config: Path, folder: Path) -> Ablation:
    found = ablate(AblationSettings.from_yaml(config), folder, device="cpu")
    assert found is not None
    return found


def test_every_row_is_scored_on_every_data_set(ablation: Ablation) -> None:
    assert [row.label for row in ablation.rows] == [
        "LIVECell",
        "16 x 16",
        "24 x 24",
        "pretrained",
        "random",
    ]
    assert ablation.judged_on == ("LIVECell", "PBL-HEK")
    scores = np.array([row.qualities for row in ablation.rows])
    assert scores.shape == (5, 2, 3)
    assert np.isfinite(scores).all()


def test_what_is_the_baseline_in_two_studies_is_one_training(
    ablation: Ablation, folder: Path
) -> None:
    by_label = {row.label: row.qualities for row in ablation.rows}

    assert by_label["16 x 16"] == by_label["pretrained"]
    assert len(list((folder / "weights").iterdir())) == 4


def test_thresholds_are_searched_for_the_baseline(ablation: Ablation) -> None:
    assert ablation.thresholds is not None
    baseline = ablation.rows[1].qualities

    for surface, quality in zip(ablation.thresholds.data_sets, baseline, strict=True):
        assert surface.own.op_csb == pytest.approx(quality.op_csb)
        assert surface.best.op_csb >= np.nanmax(surface.op_csb)


def test_a_second_call_trains_and_scores_nothing(
    config: Path, folder: Path, ablation: Ablation
) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    steps: list[Any] = []

    again = ablate(
        AblationSettings.from_yaml(config),
        folder,
        device="cpu",
        listeners=Listeners(on_step=lambda variant, step: steps.append(step)),
    )

    assert again is not None
    assert again.rows == ablation.rows
    assert not steps
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_other_settings_of_training_make_other_weights(
    config: Path, folder: Path, ablation: Ablation
) -> None:
    settings = AblationSettings.from_yaml(config)
    changed = settings.model_copy(update={"training": settings.training | {"seed": 2}})
    stop = threading.Event()
    steps: list[Any] = []

    def stop_at_once(variant: Any, step: Any) -> None:
        steps.append(step)
        stop.set()

    stopped = ablate(
        changed, folder, device="cpu", listeners=Listeners(on_step=stop_at_once, stop=stop)
    )

    assert stopped is None
    assert len(steps) == 1


def test_the_command_prints_the_tables(
    config: Path, folder: Path, ablation: Ablation
) -> None:
    result = command("ablate", config, "--out", folder, "--device", "cpu", "--json")

    assert result.exit_code == 0, result.output
    table = (folder / "tables.md").read_text()
    assert table in result.stdout
    assert "| initial weights | LIVECell | paper | PBL-HEK | paper |" in table
    found = json.loads(result.stdout.splitlines()[-1])
    pretrained = next(it for it in found["scores"] if it["row"] == "pretrained")
    assert pretrained["paper_op_csb"] == 0.772
    assert pretrained["op_csb"] == pytest.approx(ablation.rows[3].qualities[0].op_csb)


def test_weights_that_are_there_need_no_training(
    config: Path, folder: Path, ablation: Ablation, tmp_path: Path
) -> None:
    weights = next((folder / "weights").glob("*-random-*/best.safetensors"))
    settings = AblationSettings.from_yaml(config)
    variant = settings.baseline.changed(initial="random")
    known = [variant.model_dump() | {"path": str(weights)}]
    only = settings.model_dump() | {
        "weights": known,
        "baseline": variant,
        "studies": {"initial": ["random"]},
    }

    found = ablate(AblationSettings.model_validate(only), tmp_path, device="cpu")

    assert found is not None
    assert found.rows[0].qualities == ablation.rows[4].qualities
    assert {path.name for path in tmp_path.iterdir()} == {"maps", "scores"}
