"""The pieces that images are made of."""

import numpy as np
import pytest

from samcell_live.simulation.cells import Cells
from samcell_live.simulation.optics import phase_contrast
from samcell_live.simulation.outlines import N_ANGLES, outlines_um
from samcell_live.simulation.randomness import stream, trait
from samcell_live.simulation.surroundings import illumination
from samcell_live.simulation.textures import PERIOD_UM, grain, sample, specks

IDENTITY = np.arange(5000, dtype=np.uint64)


def cells(roundness: float = 0.0, area_um2: float = 1500.0) -> Cells:
    column = np.ones(50)
    return Cells(
        identity=IDENTITY[:50],
        x_um=column,
        y_um=column,
        heading_rad=column,
        area_um2=area_um2 * column,
        roundness=roundness * column,
        condensation=0 * column,
    )


def disc(delay_rad: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    y, x = np.mgrid[-40:41, -40:41]
    return np.where(np.hypot(y, x) < 15, delay_rad, 0).astype(np.float32)


def test_traits_are_uniform_and_independent_of_each_other() -> None:
    one, other = trait(IDENTITY, "size"), trait(IDENTITY, "aspect")
    assert np.histogram(one, 10, (0, 1))[0] == pytest.approx(500, abs=100)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05
    assert np.array_equal(one[3:], trait(IDENTITY[3:], "size"))


def test_streams_differ_by_purpose_and_by_number() -> None:
    streams = stream("a", 1), stream("a", 2), stream("b", 1), stream("a", 1, 2)
    assert len({one.random() for one in streams}) == 4


@pytest.mark.parametrize("area_um2", [300.0, 1500.0])
def test_outlines_enclose_the_area_of_their_cells(area_um2: float) -> None:
    radius_um = outlines_um(cells(area_um2=area_um2), 3.0)
    assert radius_um.shape == (50, N_ANGLES)
    assert np.pi * np.mean(radius_um**2, axis=1) == pytest.approx(area_um2, rel=1e-6)


def test_round_cells_are_circles_and_flat_ones_are_not() -> None:
    spread = [np.ptp(outlines_um(cells(roundness), 0.0), axis=1) for roundness in (1, 0)]
    assert spread[0].max() < 1e-9
    assert spread[1].min() > 5


def test_outlines_change_slowly() -> None:
    now, soon, later = (outlines_um(cells(), hours) for hours in (0.0, 0.05, 4.0))
    assert np.abs(soon - now).max() < 5
    assert np.abs(later - now).max() > 10


def test_a_thin_disc_is_dark_with_a_bright_halo() -> None:
    image = phase_contrast(disc(0.3), 1.0)
    assert image[40, 40 - 13] < 0.9
    assert image[40, 40 - 17] > 1.1
    assert image[0, 0] == pytest.approx(1, abs=0.01)


def test_wide_things_fade_to_the_grey_of_the_medium_inside() -> None:
    wide = np.zeros((161, 161), np.float32)
    wide[30:131, 30:131] = 0.3
    image = phase_contrast(wide, 1.0)
    assert image[80, 80] == pytest.approx(1, abs=0.02)
    assert image[80, 32] < 0.8


def test_textures_are_seamless() -> None:
    y_um = np.linspace(0, 200, 1500, dtype=np.float32)
    x_um = np.linspace(0, 90, 1500, dtype=np.float32)
    noise = grain("test", 2.0, 8.0)
    shifted = sample(noise, y_um + np.float32(2 * PERIOD_UM), x_um - np.float32(PERIOD_UM))
    # OpenCV 4 reads between texels in steps of 1/32 texel; OpenCV 5 does not round.
    steepest = max(np.abs(np.diff(noise, axis=axis)).max() for axis in (0, 1))
    assert np.allclose(sample(noise, y_um, x_um), shifted, atol=2 * steepest / 32)
    assert noise.std() == pytest.approx(1, abs=1e-3)


def test_specks_cover_what_they_should() -> None:
    assert np.mean(specks("test", 2.0, 8.0, 0.05) > 0) == pytest.approx(0.05, abs=0.001)


def test_the_light_is_uneven_one_on_average_and_never_changes() -> None:
    light = illumination(4, (60, 80))
    assert light.shape == (60, 80)
    assert light.mean() == pytest.approx(1, abs=1e-5)
    assert 0.02 < np.ptp(light) < 0.3
    assert illumination(4, (60, 80)) is light
    assert not light.flags.writeable
