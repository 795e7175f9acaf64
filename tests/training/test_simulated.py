"""Simulated training fields vary, and are the same for the same seed."""

from __future__ import annotations

import numpy as np

from samcell_live.training.settings import SimulatedFields
from samcell_live.training.simulated import render_fields

SMALL = SimulatedFields(count=3, side_px=96)


def test_the_same_seed_renders_the_same_fields() -> None:
    for one, other in zip(render_fields(SMALL, 1), render_fields(SMALL, 1), strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.labels, other.labels)


def test_another_seed_renders_others() -> None:
    one, other = next(render_fields(SMALL, 1)), next(render_fields(SMALL, 2))

    assert not np.array_equal(one.pixels, other.pixels)


def test_every_field_has_the_asked_size_and_differs_from_the_last() -> None:
    fields = list(render_fields(SMALL, 1))

    assert [field.pixels.shape for field in fields] == [(96, 96)] * 3
    assert [field.labels.shape for field in fields] == [(96, 96)] * 3
    assert len({field.pixels.tobytes() for field in fields}) == 3
