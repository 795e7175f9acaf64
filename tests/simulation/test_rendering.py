"""Images look as a microscope's do, repeat bit for bit, and agree with their truth."""

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import label as connected

from samcell_live.records import Labels, Pixels
from samcell_live.simulation.culture import Culture
from samcell_live.simulation.rendering import (
    Channel,
    render_field,
    true_confluence,
    true_count,
    true_labels,
)

CULTURE = Culture(seed=2, growth_rate_spread=0.0)
SHAPE = (200, 240)
HOURS = 24.0


def photo(x_um: float = 0, y_um: float = 0, z_um: float = 0, **options: Any) -> Pixels:
    settings: dict[str, Any] = {"hours": HOURS, "shape_px": SHAPE} | options
    return render_field(CULTURE, x_um, y_um, z_um, **settings)


def truth(x_um: float = 0, y_um: float = 0, hours: float = HOURS, **options: Any) -> Labels:
    settings: dict[str, Any] = {"shape_px": SHAPE} | options
    return true_labels(CULTURE, x_um, y_um, hours, **settings)


def sharpness(pixels: Pixels) -> float:
    return float(np.var(np.diff(pixels.astype(float), axis=1)))


@pytest.mark.parametrize("channel", ["phase", "nuclei"])
def test_the_same_call_gives_the_same_image_bit_for_bit(channel: Channel) -> None:
    first = photo(channel=channel)
    photo(500, 300, channel=channel, hours=3.0)
    fresh = render_field(
        Culture(seed=2, growth_rate_spread=0.0),
        0,
        0,
        0,
        HOURS,
        shape_px=SHAPE,
        channel=channel,
    )
    assert np.array_equal(first, photo(np.float64(0.0), channel=channel))
    assert np.array_equal(first, fresh)


def test_every_image_has_noise_of_its_own() -> None:
    empty: dict[str, Any] = {"channel": "nuclei", "hours": 0.0, "shape_px": (40, 40)}
    assert not np.array_equal(photo(**empty), photo(**empty | {"hours": 1e-6}))


@pytest.mark.parametrize("hours", [0.0, 24.0, 60.0])
def test_labels_are_compact_and_count_the_cells(hours: float) -> None:
    labels = truth(hours=hours)
    assert labels.dtype == np.int32
    assert np.array_equal(np.unique(labels), np.arange(true_count(labels) + 1))


def test_every_cell_is_one_piece() -> None:
    labels = truth(hours=60.0)
    pieces = [connected(labels == n)[1] for n in range(1, true_count(labels) + 1)]
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    assert {n + 1 for n, count in enumerate(pieces) if count > 1} <= set(edge.tolist())


def test_confluence_grows_towards_a_full_floor() -> None:
    covered = [true_confluence(truth(hours=hours)) for hours in (0.0, 12.0, 36.0, 96.0)]
    assert covered == sorted(covered)
    assert covered[0] < 0.1
    assert covered[-1] > 0.85


def test_an_empty_field_has_no_cells() -> None:
    sparse = Culture(seed=1, seeding_density_per_mm2=1e-6)
    labels = true_labels(sparse, 300, 300, 0, shape_px=(8, 8))
    assert (true_count(labels), true_confluence(labels)) == (0, 0.0)
    assert render_field(sparse, 300, 300, shape_px=(8, 8)).shape == (8, 8)


def test_neighbouring_fields_agree_on_the_cells_at_their_border() -> None:
    pixel_um = 0.87
    height, width = SHAPE
    wide = truth(shape_px=(height, 2 * width))
    left, right = (truth(side * width / 2 * pixel_um) for side in (-1, 1))
    joined = np.concatenate([left, np.where(right > 0, right + left.max(), 0)], axis=1)
    agree = (wide > 0) == (joined > 0)
    assert agree.mean() > 0.999
    borders = [
        np.diff(image, axis=0)[:, width - 5 : width + 5] != 0 for image in (wide, joined)
    ]
    assert np.mean(borders[0] == borders[1]) > 0.999


def test_images_of_neighbouring_fields_continue_each_other() -> None:
    pixel_um = 0.87
    width = SHAPE[1]
    here, there = photo(), photo((width - 20) * pixel_um)
    overlap = [image.astype(float) for image in (here[:, -20:], there[:, :20])]
    assert np.corrcoef(overlap[0].ravel(), overlap[1].ravel())[0, 1] > 0.9


def test_cells_stand_out_in_phase_contrast() -> None:
    pixels, inside = photo().astype(float), truth() > 0
    assert pixels[inside].mean() < 0.97 * pixels[~inside].mean()
    assert pixels[inside].std() > 2 * np.median(np.abs(pixels[~inside] - np.median(pixels)))


def test_empty_medium_is_mid_grey_in_phase_and_dark_in_fluorescence() -> None:
    floor = truth() == 0
    assert np.median(photo()[floor]) / 4096 == pytest.approx(0.48, abs=0.05)
    assert np.median(photo(channel="nuclei")[floor]) / 4096 < 0.06


def test_round_cells_have_bright_rings() -> None:
    labels = truth(hours=0.0)
    pixels = photo(hours=0.0)
    peaks = [pixels[labels == n].max() for n in range(1, true_count(labels) + 1)]
    assert np.median(peaks) > 1.5 * np.median(pixels)


def test_every_whole_cell_has_one_bright_nucleus() -> None:
    shape = (400, 400)
    labels, bright = truth(shape_px=shape), photo(channel="nuclei", shape_px=shape) > 600
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    whole = set(range(1, true_count(labels) + 1)) - set(edge.tolist())
    assert len(whole) > 5
    assert all(connected(bright & (labels == n))[1] >= 1 for n in whole)
    assert (bright & (labels == 0)).mean() < 0.001


@pytest.mark.parametrize("channel", ["phase", "nuclei"])
def test_the_further_from_focus_the_blurrier(channel: Channel) -> None:
    sharp = [sharpness(photo(z_um=z_um, channel=channel)) for z_um in (0, 3, 6, 12)]
    assert sharp == sorted(sharp, reverse=True)
    assert sharpness(photo(z_um=-6, channel=channel)) == pytest.approx(sharp[2], rel=0.05)


def test_counts_follow_the_exposure() -> None:
    short, long = (photo(exposure_ms=ms).mean() for ms in (5.0, 10.0))
    assert long / short == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize(("bits", "top"), [(12, 4095), (16, 65535)])
def test_counts_stay_within_the_camera(bits: int, top: int) -> None:
    pixels = photo(bits=bits, exposure_ms=40.0)
    assert pixels.dtype == np.uint16
    assert pixels.max() == top


def test_pixel_size_changes_the_field_and_not_the_cells() -> None:
    fine, coarse = (
        truth(shape_px=shape, pixel_size_um=size)
        for shape, size in (((400, 480), 0.5), ((200, 240), 1.0))
    )
    assert true_confluence(fine) == pytest.approx(true_confluence(coarse), abs=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (37, 5)])
def test_any_shape_is_rendered(shape: tuple[int, int]) -> None:
    assert photo(shape_px=shape).shape == truth(shape_px=shape).shape == shape


def test_bad_requests_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no channel 'GFP'.*'phase', 'dic'"):
        photo(channel="GFP")
    with pytest.raises(ValueError, match=r"A field of \(0, 5\) pixels"):
        photo(shape_px=(0, 5))
    with pytest.raises(ValueError, match=r"pixels of 0 um shows nothing"):
        truth(pixel_size_um=0)
