from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage.measure import label, regionprops_table
from skimage.segmentation import relabel_sequential

from samcell_live.culture.intensities import Intensities
from samcell_live.culture.measurements import (
    describe_columns,
    measure_cells,
    summarise_cells,
)
from samcell_live.records import NAN, Labels

SCIKIT_IMAGE_NAMES = {
    "label": "label",
    "bbox_y0_px": "bbox-0",
    "bbox_x0_px": "bbox-1",
    "bbox_y1_px": "bbox-2",
    "bbox_x1_px": "bbox-3",
    "area_um2": "area",
    "area_convex_um2": "area_convex",
    "centroid_y_um": "centroid-0",
    "centroid_x_um": "centroid-1",
    "equivalent_diameter_area_um": "equivalent_diameter_area",
    "axis_major_length_um": "axis_major_length",
    "axis_minor_length_um": "axis_minor_length",
    "eccentricity": "eccentricity",
    "perimeter_um": "perimeter",
    "perimeter_crofton_um": "perimeter_crofton",
    "feret_diameter_max_um": "feret_diameter_max",
    "euler_number": "euler_number",
    "extent": "extent",
    "solidity": "solidity",
    "intensity_mean": "intensity_mean",
    "intensity_std": "intensity_std",
    "intensity_min": "intensity_min",
    "intensity_max": "intensity_max",
}
Layout: TypeAlias = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
LEVELLED_OUT = {"axis_minor_length_um", "eccentricity"}
"""Roots of differences that cancel in thin cells: 1e-16 becomes 1e-8."""


def read_only(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    image = image.copy()
    image.flags.writeable = False
    return image


def big_endian(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return image.astype(image.dtype.newbyteorder(">"))


def assert_as_scikit_image(
    labels: Labels, pixels: npt.NDArray[Any], size_um: float
) -> None:
    table = measure_cells(labels, pixels, size_um)
    properties = {name.split("-")[0] for name in SCIKIT_IMAGE_NAMES.values()}
    theirs = regionprops_table(
        labels, pixels, properties=[*properties, "orientation"], spacing=(size_um, size_um)
    )
    for ours, name in SCIKIT_IMAGE_NAMES.items():
        np.testing.assert_allclose(
            table[ours],
            theirs[name],
            rtol=1e-9,
            atol=1e-6 * size_um if ours in LEVELLED_OUT else 1e-9 * size_um,
            err_msg=ours,
        )
    long = theirs["eccentricity"] > 0.1  # the axis of a round cell points nowhere
    turn = table["orientation_rad"] - theirs["orientation"]
    np.testing.assert_allclose(np.sin(turn[long]), 0, atol=1e-7)


@given(
    seed=st.integers(0, 10_000),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    cover=st.floats(0.2, 0.9),
    dtype=st.sampled_from([np.uint8, np.uint16, np.int32, np.float64]),
)
def test_ragged_cells_measure_as_in_scikit_image(
    seed: int, height: int, width: int, cover: float, dtype: type[np.generic]
) -> None:
    rng = np.random.default_rng(seed)
    cells = label(rng.random((height, width)) < cover, connectivity=rng.integers(1, 3))
    cells[rng.integers(height), rng.integers(width)] = cells.max() + 1
    labels = relabel_sequential(cells)[0].astype(np.int32)
    pixels = (rng.random((height, width)) * 250 - 20 * (dtype == np.float64)).astype(dtype)
    assert_as_scikit_image(labels, pixels, 0.37)


@given(seed=st.integers(0, 10_000), n_cells=st.integers(1, 6))
def test_cells_in_pieces_and_with_holes_measure_as_in_scikit_image(
    seed: int, n_cells: int
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_cells + 1, (9, 14)).astype(np.int32)
    labels[rng.random(labels.shape) < 0.5] = 0
    labels[0, :n_cells] = np.arange(1, n_cells + 1)
    assert_as_scikit_image(labels, rng.random(labels.shape), 1.0)


@pytest.mark.parametrize(
    "cell",
    [
        np.ones((1, 1)),
        np.ones((1, 9)),
        np.ones((9, 1)),
        np.eye(9),
        np.eye(9)[::-1],
        np.ones((2, 3)),
        np.pad(np.zeros((3, 4)), 2, constant_values=1),
        np.hypot(*np.mgrid[-20:21, -30:31] / [[[1]], [[1.5]]]) < 20,
    ],
    ids=["pixel", "row", "column", "diagonal", "rising", "block", "ring", "ellipse"],
)
@pytest.mark.parametrize("margin", [0, 3])
def test_plain_shapes_measure_as_in_scikit_image(
    cell: npt.NDArray[Any], margin: int
) -> None:
    labels = np.pad(cell, margin).astype(np.int32)
    assert_as_scikit_image(labels, np.arange(labels.size).reshape(labels.shape), 2.0)


def test_real_cells_measure_as_in_scikit_image(shared_data: Path) -> None:
    with Image.open(shared_data / "usiigaci" / "val" / "46_mask.png") as mask:
        labels = relabel_sequential(np.array(mask))[0].astype(np.int32)
    assert labels.max() > 20
    assert_as_scikit_image(labels, np.arange(labels.size).reshape(labels.shape), 0.65)


@pytest.mark.parametrize("laid_out", [np.asfortranarray, read_only, big_endian])
def test_how_an_image_lies_in_memory_does_not_matter(laid_out: Layout) -> None:
    labels = disk(9)
    pixels = np.arange(labels.size, dtype=np.uint16).reshape(labels.shape)
    pd.testing.assert_frame_equal(
        measure_cells(laid_out(labels), laid_out(pixels), texture=True),
        measure_cells(labels, pixels, texture=True),
    )


def names_of(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table.columns]


def disk(radius_px: int) -> Labels:
    y, x = np.mgrid[-radius_px - 2 : radius_px + 3, -radius_px - 2 : radius_px + 3]
    return np.asarray(np.hypot(y, x) <= radius_px, dtype=np.int32)


def test_a_disk_is_round_by_every_measure() -> None:
    cell = measure_cells(disk(30), disk(30)).loc[0]
    for name in ("circularity", "compactness", "aspect_ratio", "roundness", "solidity"):
        assert cell[name] == pytest.approx(1, abs=0.1), name
    assert cell["perimeter_convex_px"] == pytest.approx(2 * np.pi * 30, rel=0.05)


def test_a_bar_is_less_circular_than_a_disk_and_as_long_as_it_is() -> None:
    bar = np.zeros((20, 60), dtype=np.int32)
    bar[8:12, 10:50] = 1
    cell = measure_cells(bar, bar).loc[0]
    assert cell["circularity"] == pytest.approx(
        4 * np.pi * 160 / cell["perimeter_px"] ** 2, rel=1e-12
    )
    assert cell["circularity"] < 0.4
    assert cell["aspect_ratio"] == pytest.approx(10, rel=0.05)
    assert cell["roundness"] == pytest.approx(0.1, rel=0.1)


def test_ratios_of_a_single_pixel_are_unknown() -> None:
    table = measure_cells(np.ones((1, 1), dtype=np.int32), np.ones((1, 1)))
    unknown = table[["circularity", "compactness", "aspect_ratio", "roundness"]]
    assert np.isnan(unknown.to_numpy()).all()
    assert table[["extent", "solidity", "eccentricity"]].to_numpy().tolist() == [[1, 1, 0]]


def test_a_dent_is_filled_by_the_convex_perimeter() -> None:
    cup = np.zeros((24, 24), dtype=np.int32)
    cup[2:22, 2:22] = 1
    cup[2:18, 8:16] = 0
    cell = measure_cells(cup, cup).loc[0]
    assert cell["perimeter_convex_px"] == 4 * 19
    assert cell["perimeter_px"] > 100


def test_without_calibration_micrometres_are_unknown_and_pixels_are_not() -> None:
    labels = disk(9)
    labels[1, 1] = 2
    table = measure_cells(labels, labels)
    unknown = {name for name in names_of(table) if table[name].isna().all()}
    assert unknown == {name for name in names_of(table) if name.endswith(("_um", "_um2"))}


def test_calibration_turns_pixels_into_micrometres() -> None:
    labels = np.zeros((20, 40), dtype=np.int32)
    labels[2:8, 3:9], labels[10:18, 20:30] = 1, 2
    table = measure_cells(labels, labels, 0.25)
    for name in [name for name in names_of(table) if name.endswith("_um")]:
        np.testing.assert_array_equal(
            table[name], table[f"{name.removesuffix('_um')}_px"] * 0.25, err_msg=name
        )
    assert table["area_um2"].tolist() == [36 / 16, 80 / 16]


@pytest.mark.parametrize("texture", [False, True])
def test_a_field_without_cells_has_all_columns_and_no_lines(texture: bool) -> None:
    empty = np.zeros((8, 8), dtype=np.int32)
    none = measure_cells(empty, empty, texture=texture)
    one = measure_cells(empty + 1, empty, texture=texture)
    assert len(none) == 0
    assert none.dtypes.to_dict() == one.dtypes.to_dict()


def test_border_cells_are_marked() -> None:
    labels = np.zeros((9, 9), dtype=np.int32)
    labels[0:2, 4:6], labels[4:6, 4:6], labels[7:9, 0:2] = 1, 2, 3
    assert measure_cells(labels, labels)["touches_border"].tolist() == [True, False, True]


def test_an_unknown_pixel_makes_its_cells_intensities_unknown_and_no_others() -> None:
    labels = np.array([[1, 1, 0, 2, 2]], dtype=np.int32)
    table = measure_cells(labels, np.array([[np.nan, 1, 2, 3, 5]]))
    intensities = table[list(Intensities._fields)].to_numpy()
    assert np.isnan(intensities[0]).all()
    assert intensities[1].tolist() == [4, 1, 3, 5, 2]


def test_labels_on_another_grid_are_refused() -> None:
    with pytest.raises(ValueError, match=r"labels are \(4, 5\) and the image is \(5, 4\)"):
        measure_cells(np.ones((4, 5), dtype=np.int32), np.ones((5, 4)))


def test_a_gap_in_the_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Label 2 has no pixel.*up to 3"):
        measure_cells(np.array([[1, 3, 3]], dtype=np.int32), np.ones((1, 3)))


@pytest.mark.parametrize("strange", [-1, 1_000_000])
def test_labels_that_do_not_number_cells_are_refused(strange: int) -> None:
    labels = np.array([[1, strange]], dtype=np.int32)
    with pytest.raises(ValueError, match=f"of these 2 pixels go from .*{strange}"):
        measure_cells(labels, np.ones((1, 2)))


@pytest.mark.parametrize("size_um", [0.0, -1.0, math.inf])
def test_a_pixel_without_width_is_refused(size_um: float) -> None:
    with pytest.raises(ValueError, match=f"pixel size is {size_um} um"):
        measure_cells(disk(3), disk(3), size_um)


def test_a_summary_counts_covers_and_averages() -> None:
    labels = np.zeros((100, 200), dtype=np.int32)
    labels[:10, :10], labels[20:30, :30], labels[50:60, 80:100] = 1, 2, 3
    summary = summarise_cells(measure_cells(labels, labels * 100, 2.0), labels, 2.0)
    assert (summary.cell_count, summary.border_cell_count) == (3, 2)
    assert summary.confluence == 600 / 20_000
    assert summary.density_per_mm2 == pytest.approx(3 / 0.08)
    assert (summary.area_mean_px, summary.area_mean_um2) == (200, 800)
    assert summary.area_median_um2 == 800
    assert summary.area_sd_um2 == pytest.approx(400)
    assert (summary.intensity_mean, summary.intensity_sd) == (200, 100)


def test_a_summary_of_an_empty_field_counts_none_and_knows_no_means() -> None:
    empty = np.zeros((40, 40), dtype=np.int32)
    summary = summarise_cells(measure_cells(empty, empty, 1.0), empty, 1.0)
    summed_up = summary._asdict()
    known = {name: summed_up[name] for name in summed_up if not math.isnan(summed_up[name])}
    assert known == {
        "cell_count": 0,
        "border_cell_count": 0,
        "confluence": 0,
        "field_mm2": 0.0016,
        "density_per_mm2": 0,
    }


def test_without_calibration_density_is_unknown_and_count_is_not() -> None:
    summary = summarise_cells(measure_cells(disk(5), disk(5)), disk(5), NAN)
    assert summary.cell_count == 1
    assert math.isnan(summary.density_per_mm2)


def test_a_table_of_other_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="table has 1 cells and the label image 0"):
        summarise_cells(measure_cells(disk(5), disk(5)), disk(5) * 0, NAN)


def test_the_description_has_a_line_per_measurement() -> None:
    labels = np.array([[1, 1, 1, 0, 2]], dtype=np.int32)
    described = describe_columns(measure_cells(labels, labels))
    assert described.loc["area_px", "mean"] == 2
    assert described.loc["area_px", "max"] == 3
    assert described.loc["area_um2", "count"] == 0
    assert not {"label", "bbox_y0_px", "touches_border"} & set(described.index)
