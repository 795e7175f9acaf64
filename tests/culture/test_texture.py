from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from skimage.feature import graycomatrix, graycoprops

from samcell_live.culture.measurements import measure_cells
from samcell_live.culture.texture import (
    ANGLES_RAD,
    DISTANCES_PX,
    GREY_LEVELS,
    PROPERTIES,
    Textures,
    measure_textures,
)
from samcell_live.records import Labels

FloatArray = npt.NDArray[np.float64]


def textures(labels: Labels, image: npt.ArrayLike, **settings: int) -> Textures:
    """Textures of labels that all have the whole image as their box."""
    boxes = np.array([[0, 0, *labels.shape]] * labels.max())
    return measure_textures(labels, np.asarray(image, dtype=np.float64), boxes, **settings)


def noise(seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).random((12, 15))


def test_a_rectangular_cell_has_scikit_images_texture() -> None:
    levels = np.random.default_rng(0).integers(0, GREY_LEVELS, (12, 15), dtype=np.uint8)
    levels[0, :2] = 0, GREY_LEVELS - 1
    pairs = graycomatrix(
        levels, DISTANCES_PX, ANGLES_RAD, levels=GREY_LEVELS, symmetric=True
    )
    ours = textures(np.ones(levels.shape, dtype=np.int32), levels)
    for column, name in zip(ours, PROPERTIES, strict=True):
        assert column[0] == pytest.approx(graycoprops(pairs, name).mean(), rel=1e-12)


def test_what_lies_outside_the_cell_does_not_count() -> None:
    labels = np.zeros((12, 15), dtype=np.int32)
    labels[2:10, 3:12] = 1
    labels[4, 4] = 0
    image = noise()
    image[0, :2] = 0, 1  # the range, in both images
    other = np.where(labels, image, noise(1))
    other[0, :2] = 0, 1
    np.testing.assert_array_equal(textures(labels, image), textures(labels, other))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 65535.0])
def test_texture_does_not_depend_on_the_range_of_the_camera(scale: float) -> None:
    labels = np.ones((12, 15), dtype=np.int32)
    np.testing.assert_allclose(
        textures(labels, noise() * scale - scale), textures(labels, noise()), rtol=1e-9
    )


def test_an_even_cell_has_no_contrast_and_full_energy() -> None:
    even = textures(np.ones((6, 6), dtype=np.int32), np.full((6, 6), 7))
    assert [column[0] for column in even] == [0, 0, 1, 1, 1, 1]


def test_stripes_contrast_across_and_not_along() -> None:
    stripes = np.indices((8, 8))[0] % 2
    contrast = textures(np.ones((8, 8), dtype=np.int32), stripes, grey_levels=2)[0][0]
    # Of the eight offsets, all at distance 1 but that along the stripes change colour;
    # at distance 2 the diagonal ones are rounded to one pixel each way.
    assert contrast == 5 / 8


def test_a_cell_without_a_pair_has_unknown_texture() -> None:
    labels = np.zeros((5, 5), dtype=np.int32)
    labels[0, 0], labels[2, 2:5] = 1, 2
    columns = textures(labels, np.arange(25).reshape(5, 5))
    assert all(np.isnan(column[0]) and np.isfinite(column[1]) for column in columns)


def test_unknown_pixels_are_left_out() -> None:
    labels = np.ones((12, 15), dtype=np.int32)
    holes = labels.copy()
    image = noise()
    image[5, 5:9] = np.nan, np.inf, -np.inf, np.nan
    holes[5, 5:9] = 0
    np.testing.assert_array_equal(
        textures(labels, image), textures(holes, np.where(holes, image, 0.5))
    )


def test_texture_is_measured_when_asked_for() -> None:
    labels = np.ones((12, 15), dtype=np.int32)
    plain, full = (measure_cells(labels, noise(), texture=asked) for asked in (False, True))
    assert set(full) - set(plain) == set(Textures._fields)
    assert not full[list(Textures._fields)].isna().any(axis=None)
