"""Simulated training fields vary, and are the same for the same seed."""

from __future__ import annotations

import numpy as np

from samcell_live.training.settings import SimulatedFields
from samcell_live.training.simulated import FIELDS_PER_CULTURE, render_fields

SMALL = SimulatedFields(count=3, side_px=96)


def test_the_same_seed_renders_the_same_fields() -> None:
    for one, other in zip(render_fields(SMALL, 1), render_fields(SMALL, 1), strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.labels, other.labels)


def test_workers_render_the_same_fields() -> None:
    settings = SMALL.model_copy(update={"count": FIELDS_PER_CULTURE + 1})
    here = render_fields(settings, 1)
    elsewhere = render_fields(settings, 1, workers=2)

    for one, other in zip(here, elsewhere, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_another_seed_renders_others() -> None:
    one, other = next(render_fields(SMALL, 1)), next(render_fields(SMALL, 2))

    assert not np.array_equal(one.pixels, other.pixels)


def test_every_field_has_the_asked_size_and_differs_from_the_last() -> None:
    fields = list(render_fields(SMALL, 1))

    assert [field.pixels.shape for field in fields] == [(96, 96)] * 3
    assert [field.labels.shape for field in fields] == [(96, 96)] * 3
    assert len({field.pixels.tobytes() for field in fields}) == 3
