"""Frames and outlines as pictures."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from samcell_dashboard.images import (
    MAX_SIDE_PX,
    OUTLINE_RGB,
    frame_png,
    outline,
    outlines_png,
    to_8_bits,
)

from samcell_live.records import Labels


def opened(png: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def test_brighter_stays_brighter_on_the_way_to_8_bits() -> None:
    counts = np.arange(0, 4096, 16, dtype=np.float32).reshape(16, 16)

    shown = to_8_bits(counts)

    assert (np.diff(shown.ravel().astype(int)) >= 0).all()
    assert (shown.min(), shown.max()) == (0, 255)


def test_a_flat_image_is_grey_and_not_an_error() -> None:
    assert np.unique(to_8_bits(np.full((8, 8), 300, np.float32))).tolist() == [128]


@pytest.mark.parametrize("shape", [(2048, 2048), (2160, 2560), (1500, 700)])
def test_a_large_camera_is_shown_small_with_its_outlines_on_the_same_grid(
    shape: tuple[int, int],
) -> None:
    pixels = np.random.default_rng(0).integers(0, 4096, shape, dtype=np.uint16)
    labels = np.zeros(shape, np.int32)
    labels[100:600, 200:500] = 1

    frame, cells = opened(frame_png(pixels)), opened(outlines_png(labels))

    assert max(frame.shape) <= MAX_SIDE_PX
    finer = cells.shape[0] // frame.shape[0]
    assert cells.shape[:2] == (finer * frame.shape[0], finer * frame.shape[1])


def test_an_outline_lies_on_its_cell_and_touching_cells_are_told_apart() -> None:
    labels = np.zeros((5, 8), np.int32)
    labels[1:4, 1:4], labels[1:4, 4:7] = 1, 2

    edge = outline(labels)

    assert not edge[labels == 0].any()
    assert edge[2, 3]
    assert edge[2, 4]
    assert not edge[2, 2]


@given(st.integers(0, 6), st.integers(0, 6), st.integers(1, 6), st.integers(1, 6))
def test_only_a_cell_that_is_smaller_than_its_edge_is_all_edge(
    top: int, left: int, height: int, width: int
) -> None:
    labels: Labels = np.zeros((14, 14), np.int32)
    labels[top + 1 : top + 1 + height, left + 1 : left + 1 + width] = 3

    inside = max(height - 2, 0) * max(width - 2, 0)

    assert outline(labels).sum() == height * width - inside


def test_outlines_are_transparent_but_for_their_lines() -> None:
    labels = np.zeros((64, 64), np.int32)
    labels[16:48, 16:48] = 1

    shown = opened(outlines_png(labels))

    assert (shown[..., 3] == 0).mean() > 0.9
    line = shown[shown[..., 3] > 0]
    assert {tuple(pixel) for pixel in line[:, :3].tolist()} == {OUTLINE_RGB}


def test_an_empty_field_has_a_picture_without_lines() -> None:
    assert not opened(outlines_png(np.zeros((64, 64), np.int32)))[..., 3].any()
