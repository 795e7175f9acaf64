from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import label, regionprops_table

from samcell_live.culture.cells import cell_table
from samcell_live.records import CellRow, Labels, Pixels

SKIMAGE_NAMES = {
    "area_um2": "area",
    "centroid_y_um": "centroid-0",
    "centroid_x_um": "centroid-1",
    "bbox_y0_px": "bbox-0",
    "bbox_x0_px": "bbox-1",
    "bbox_y1_px": "bbox-2",
    "bbox_x1_px": "bbox-3",
    "equivalent_diameter_um": "equivalent_diameter_area",
    "axis_major_um": "axis_major_length",
    "axis_minor_um": "axis_minor_length",
    "eccentricity": "eccentricity",
    "mean_counts": "intensity_mean",
    "min_counts": "intensity_min",
    "max_counts": "intensity_max",
}


def scene(seed: int, height: int, width: int, cover: float = 0.5) -> tuple[Labels, Pixels]:
    """Ragged cells of all sizes down to one pixel, and an image of noise."""
    rng = np.random.default_rng(seed)
    labels = label(rng.random((height, width)) < cover, connectivity=1)
    pixels = rng.integers(0, 65536, (height, width)).astype(np.uint16)
    return np.asarray(labels, dtype=np.int32), pixels


def column(table: npt.NDArray[np.float32], name: str) -> npt.NDArray[np.float32]:
    return np.asarray(table[:, CellRow._fields.index(name)])


@given(
    seed=st.integers(0, 1000),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    pixel_size_um=st.floats(0.1, 10),
)
def test_measurements_are_those_of_scikit_image(
    seed: int, height: int, width: int, pixel_size_um: float
) -> None:
    labels, pixels = scene(seed, height, width)
    labels[0, 0] = labels.max() + 1  # at least one cell
    labels = np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.int32)
    labels = labels.reshape(height, width) + np.int32(labels.min() == labels.max())
    table = cell_table(labels, pixels, pixel_size_um)
    reference = regionprops_table(
        labels,
        pixels,
        properties=[
            "area", "num_pixels", "centroid", "bbox", "equivalent_diameter_area",
            "axis_major_length", "axis_minor_length", "eccentricity", "orientation",
            "intensity_mean", "intensity_min", "intensity_max",
        ],
        spacing=(pixel_size_um, pixel_size_um),
    )  # fmt: skip
    np.testing.assert_array_equal(column(table, "area_px"), reference["num_pixels"])
    for ours, theirs in SKIMAGE_NAMES.items():
        np.testing.assert_allclose(
            column(table, ours), reference[theirs], rtol=1e-5, atol=2e-4, err_msg=ours
        )
    long = reference["eccentricity"] > 0.1  # the axis of a round cell points nowhere
    turn = column(table, "orientation_rad")[long] - reference["orientation"][long]
    np.testing.assert_allclose(np.sin(turn), 0, atol=1e-5)


@pytest.mark.parametrize(
    ("cells", "orientation_rad"),
    [
        (np.eye(5), np.pi / 4),
        (np.eye(5)[::-1], -np.pi / 4),
        (np.ones((5, 1)), 0),
        (np.ones((1, 5)), np.pi / 2),
        (np.ones((3, 3)), -np.pi / 4),
    ],
)
def test_orientation_follows_scikit_image_down_to_the_sign(
    cells: npt.NDArray[np.float64], orientation_rad: float
) -> None:
    labels = cells.astype(np.int32)
    theirs = regionprops_table(labels, properties=["orientation"])["orientation"]
    ours = column(cell_table(labels, labels.astype(np.uint8), 1.0), "orientation_rad")
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    np.testing.assert_allclose(ours, orientation_rad, atol=1e-6)


def test_the_row_of_a_cell_is_its_label() -> None:
    labels = np.zeros((6, 9), dtype=np.int32)
    labels[4:, 4:6], labels[1, 1:4] = 1, 2
    table = cell_table(labels, labels.astype(np.uint16) * 100, 2.0)
    assert column(table, "area_um2").tolist() == [16, 12]
    assert column(table, "mean_counts").tolist() == [100, 200]
    assert column(table, "touches_border").tolist() == [1, 0]


def test_without_calibration_micrometres_are_unknown_and_pixels_are_not() -> None:
    labels, pixels = scene(1, 20, 20)
    row = dict(
        zip(CellRow._fields, cell_table(labels, pixels, float("nan"))[0], strict=True)
    )
    unknown = {name for name, value in row.items() if np.isnan(value)}
    assert unknown == {name for name in row if name.endswith(("_um", "_um2"))}


def test_a_field_without_cells_has_no_rows() -> None:
    empty = np.zeros((8, 8), dtype=np.int32)
    assert cell_table(empty, empty.astype(np.uint8), 1.0).shape == (0, len(CellRow._fields))


def test_far_from_the_corner_no_digits_are_lost() -> None:
    labels = np.zeros((4, 60_000), dtype=np.int32)
    labels[1:3, -40:-10] = 1
    near = cell_table(labels[:, -50:], labels[:, -50:].astype(np.uint8), 1.0)
    far = cell_table(labels, labels.astype(np.uint8), 1.0)
    for name in ("axis_major_um", "axis_minor_um", "orientation_rad"):
        np.testing.assert_array_equal(column(near, name), column(far, name))


def test_a_gap_in_the_numbers_is_refused() -> None:
    labels = np.array([[1, 1, 3]], dtype=np.int32)
    with pytest.raises(ValueError, match=r"Label 2 has no pixel.*up to 3"):
        cell_table(labels, labels.astype(np.uint8), 1.0)


def test_labels_on_another_grid_are_refused() -> None:
    labels = np.ones((4, 5), dtype=np.int32)
    with pytest.raises(ValueError, match=r"labels are \(4, 5\) and the image is \(5, 4\)"):
        cell_table(labels, np.ones((5, 4), dtype=np.uint8), 1.0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_counts_are_measured_in_any_integer(dtype: type) -> None:
    labels = np.array([[1, 1, 1]], dtype=np.int32)
    pixels: Pixels = np.array([[200, 0, 100]], dtype=dtype)
    table = cell_table(labels, pixels, 1.0)
    assert column(table, "mean_counts").tolist() == [100]
    assert column(table, "min_counts").tolist() == [0]
    assert column(table, "max_counts").tolist() == [200]


def test_the_table_of_a_window_of_an_image_is_that_of_its_copy() -> None:
    labels, pixels = scene(3, 30, 40)
    window = np.s_[5:25, 8:37]
    cells = np.unique(labels[window], return_inverse=True)[1].astype(np.int32)
    spread = np.zeros((20, 58), dtype=np.int32)
    spread[:, ::2] = cells.reshape(20, 29)
    np.testing.assert_array_equal(
        cell_table(spread[:, ::2], pixels[window], 1.0),
        cell_table(spread[:, ::2].copy(), pixels[window].copy(), 1.0),
    )


@pytest.mark.parametrize("label", [-2, 2_000_000_000])
def test_labels_that_cannot_be_numbers_of_cells_are_refused(label: int) -> None:
    labels = np.array([[1, label]], dtype=np.int32)
    with pytest.raises(ValueError, match=rf"2 pixels go from .*{label}.*1\.\.n_cells"):
        cell_table(labels, labels.astype(np.uint8), 1.0)


def test_an_image_that_is_no_counts_is_refused() -> None:
    labels = np.ones((2, 2), dtype=np.int32)
    with pytest.raises(ValueError, match=r"image is float64.*integers"):
        cell_table(labels, np.ones((2, 2)), 1.0)  # type: ignore[arg-type]
