"""The terms of weights go where the weights go."""

from __future__ import annotations

import pytest

from samcell_live.segmentation.formats import Weights
from samcell_live.segmentation.headers import SamcellHeader, StarterHeader, Teacher
from samcell_live.segmentation.weights.registry import PUBLISHED, SAMCELL_TERMS
from samcell_live.segmentation.weights.terms import UNKNOWN_TERMS, terms_of

SAMCELL = SamcellHeader(
    name="mine",
    architecture="vit_b",
    package="samcell_live",
    source="last.ckpt",
    source_sha256="0",
    terms="Ours.",
)


def header(teacher: Teacher | None) -> StarterHeader:
    return StarterHeader(
        channels=(4, 6),
        peak_threshold=0.5,
        fill_threshold=0.1,
        cell_diameter_px=28,
        package="samcell_live",
        trained_on=("cells",),
        steps=1,
        settings={},
        teacher=teacher,
    )


def weights(
    starter: StarterHeader | None = None, samcell: SamcellHeader | None = None
) -> Weights:
    return Weights({}, "0", starter, samcell)


@pytest.mark.parametrize(
    "model",
    [
        "samcell-generalist",
        PUBLISHED["samcell-cyto"].url,
        "downloads/samcell-generalist.pt",
    ],
)
def test_released_weights_are_known_by_name_address_and_file(model: str) -> None:
    assert terms_of(model, weights()) == SAMCELL_TERMS


def test_the_package_s_own_weights_are_under_its_license() -> None:
    assert "BSD-3-Clause" in terms_of("starter", weights(starter=header(None)))


def test_a_header_s_terms_are_kept() -> None:
    assert terms_of("mine", weights(samcell=SAMCELL)) == "Ours."


def test_what_learnt_from_a_teacher_has_the_teacher_s_terms() -> None:
    teacher = Teacher(name="samcell-generalist", sha256="0", terms=SAMCELL_TERMS)

    assert terms_of("run/x.safetensors", weights(starter=header(teacher))) == SAMCELL_TERMS


@pytest.mark.parametrize("starter", [None, header(None)])
def test_terms_that_nobody_stated_are_unknown(starter: StarterHeader | None) -> None:
    assert terms_of("someone.safetensors", weights(starter)) == UNKNOWN_TERMS
