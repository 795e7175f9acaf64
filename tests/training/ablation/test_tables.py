"""Tables show our numbers beside the paper's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from segmenters import sees_brightness

from samcell_live.segmentation.models import load_model
from samcell_live.segmentation.weights import find_weights
from samcell_live.training.ablation.cells import Quality, with_patches
from samcell_live.training.ablation.paper import SCORES, THRESHOLDS, Study
from samcell_live.training.ablation.run import Ablation, ScoredRow
from samcell_live.training.ablation.tables import markdown, plain, scores
from samcell_live.training.thresholds import Thresholds
from samcell_live.training.tuning.grid import Grid
from samcell_live.training.tuning.search import Tuning
from samcell_live.training.tuning.surface import Surface, average

HERE, HEK = "Our dish", "PBL-HEK"


def ablation() -> Ablation:
    rows = (
        ScoredRow(
            Study.PATCH, "128 x 128", (Quality(0.5, 0.7, 0.6), Quality(0.4, 0.6, 0.5))
        ),
        ScoredRow(Study.PATCH, "64 x 64", (Quality(0.1, 0.3, 0.2), Quality(0.2, 0.4, 0.3))),
    )
    grid = Grid((0.4, 0.5), (0.1,))
    surfaces = tuple(
        Surface(name, grid, values, values, Thresholds(0.47, 0.09, 0.5))
        for name, values in (
            (HERE, np.array([[0.5], [0.6]])),
            (HEK, np.array([[0.5], [0.7]])),
        )
    )
    return Ablation((HERE, HEK), rows, Tuning(surfaces, average(surfaces)))


def test_the_papers_number_stands_beside_ours_where_it_has_one() -> None:
    lines = markdown(ablation()).splitlines()

    assert "| patch size | Our dish | paper | PBL-HEK | paper |" in lines
    assert "| 128 x 128 | 0.600 | - | 0.500 | 0.487 |" in lines
    assert "| 64 x 64 | 0.200 | - | 0.300 | - |" in lines


def test_thresholds_stand_beside_the_papers() -> None:
    lines = markdown(ablation()).splitlines()

    assert "| Our dish | 0.50 | 0.10 | 0.600 | - | - | - |" in lines
    assert "| PBL-HEK | 0.50 | 0.10 | 0.700 | 0.50 | 0.08 | 0.605 |" in lines
    assert "| mean | 0.50 | 0.10 | 0.650 | 0.47 | 0.09 | 0.715 |" in lines


def test_the_table_for_scripts_has_all_measures() -> None:
    table = scores(ablation())

    assert table["op_csb"].tolist() == [0.6, 0.5, 0.2, 0.3]
    assert table["paper_op_csb"].tolist() == pytest.approx(
        [np.nan, 0.487, np.nan, np.nan], nan_ok=True
    )


def test_json_has_none_for_what_the_paper_does_not_give() -> None:
    found = plain(ablation())

    assert [one["paper_op_csb"] for one in found["scores"]] == [None, 0.487, None, None]
    assert found["thresholds"][1]["peak"] == 0.5


@pytest.mark.parametrize("data_set", ["PBL-HEK", "PBL-N2a"])
def test_the_papers_baseline_has_one_score_in_all_studies(data_set: str) -> None:
    baseline = {
        SCORES[Study.TRAINED_ON, "Cyto + LIVECell", data_set],
        SCORES[Study.MODEL, "SAM-B", data_set],
        SCORES[Study.PATCH, "256 x 256", data_set],
        SCORES[Study.INITIAL, "pretrained", data_set],
    }

    assert len(baseline) == 1
    assert THRESHOLDS[data_set].op_csb > baseline.pop()


def test_a_network_sees_patches_of_the_size_that_is_asked() -> None:
    model = sees_brightness()._model
    shapes = []

    def remember(tiles: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(tiles.shape[1:]))
        return tiles

    with_patches(model, 40).tiling.predict(torch.zeros(1, 90, 70), remember, 4)

    assert set(shapes) == {(40, 40)}


def test_a_starter_network_has_no_patches() -> None:
    with pytest.raises(ValueError, match="sees images as they are, whatever the patch"):
        with_patches(load_model(find_weights("starter")), 128)
