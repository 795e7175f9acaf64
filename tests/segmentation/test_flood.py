"""scikit-image is asked for every answer; ours must be the same to the pixel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage.io import imread
from skimage.segmentation import watershed

import samcell_live.segmentation.flood
from samcell_live.records import DistanceMap, Labels, Mask
from samcell_live.segmentation.distance import distance_map
from samcell_live.segmentation.flood import flood, flood_in_order
from samcell_live.segmentation.segmenter import load_segmenter
from samcell_live.segmentation.watershed import regions_above
from samcell_live.settings import SegmentationSettings


class Scene(NamedTuple):
    """What `flood` takes."""

    distance: DistanceMap
    markers: Labels
    mask: Mask

    def by_scikit_image(self) -> Labels:
        found = watershed(-self.distance, self.markers, mask=self.mask)
        return np.asarray(found, dtype=np.int32)


@st.composite
def scenes(draw: st.DrawFn, heights: st.SearchStrategy[float]) -> Scene:
    """Maps of all shapes to 9 x 9, any markers in any place, any mask."""
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
    numbers = st.sampled_from([0, 0, 0, 1, 2, 7, 2**31 - 1])
    return Scene(
        draw(hnp.arrays(np.float32, shape, elements=heights)),
        draw(hnp.arrays(np.int32, shape, elements=numbers)),
        draw(hnp.arrays(np.bool_, shape)),
    )


def smooth_scene(seed: int, side: int = 64) -> Scene:
    """Random hills with marked tops, as a network might draw them."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.random((side, side)), 2.5)
    distance = ((noise - noise.min()) / np.ptp(noise)).astype(np.float32)
    return Scene(distance, regions_above(distance, 0.6), distance > 0.2)


def dense_scene(n_cells: int = 300, side: int = 512) -> Scene:
    """Cells that touch on all sides: most share one component with hundreds of others."""
    rng = np.random.default_rng(1)
    centres = np.zeros((side, side), dtype=bool)
    centres[tuple(rng.integers(0, side, (2, n_cells)))] = True
    depth, nearest = ndimage.distance_transform_edt(~centres, return_indices=True)
    cells = np.asarray(ndimage.label(centres)[0])[tuple(nearest)]
    cells[depth > 0.75 * side / np.sqrt(n_cells)] = 0
    distance = ndimage.gaussian_filter(distance_map(cells), 1.5)
    return Scene(distance, regions_above(distance, 0.47), distance > 0.09)


@given(scenes(heights=st.integers(-1, 2).map(float)))
def test_plateaus_are_shared_out_as_by_scikit_image(scene: Scene) -> None:
    np.testing.assert_array_equal(flood(*scene), scene.by_scikit_image())


@given(scenes(heights=st.floats(width=32, allow_nan=False)))
def test_any_heights_are_flooded_as_by_scikit_image(scene: Scene) -> None:
    np.testing.assert_array_equal(flood(*scene), scene.by_scikit_image())


@given(scenes(heights=st.sampled_from([0.0, -0.0, 0.5, float("nan"), float("inf")])))
def test_odd_heights_are_flooded_as_by_scikit_image(scene: Scene) -> None:
    np.testing.assert_array_equal(flood(*scene), scene.by_scikit_image())


@given(seed=st.integers(0, 10_000), n_levels=st.sampled_from([16, 256, 2**12, 2**24]))
def test_smooth_and_quantised_maps_are_flooded_as_by_scikit_image(
    seed: int, n_levels: int
) -> None:
    scene = smooth_scene(seed)
    levels = np.round(scene.distance * n_levels) / n_levels
    scene = scene._replace(distance=levels.astype(np.float32))
    np.testing.assert_array_equal(flood(*scene), scene.by_scikit_image())


@given(seed=st.integers(0, 10_000))
def test_smooth_maps_need_no_help_of_scikit_image(seed: int) -> None:
    assert flood_in_order(*smooth_scene(seed), threads=1) is not None


def test_a_dense_culture_is_flooded_as_by_scikit_image_and_without_its_help() -> None:
    scene = dense_scene()
    labels = flood_in_order(*scene, threads=1)
    assert labels is not None
    assert labels.max() > 250
    np.testing.assert_array_equal(labels, scene.by_scikit_image())


def test_a_predicted_map_is_flooded_as_by_scikit_image_and_without_its_help(
    shared_data: Path,
) -> None:
    segmenter = load_segmenter(SegmentationSettings(), device="cpu")
    image = imread(shared_data / "usiigaci" / "val" / "46.png")[:512, :512]
    distance = segmenter.predict_distance(image)
    markers = regions_above(distance, segmenter.peak_threshold)
    scene = Scene(distance, markers, distance > segmenter.fill_threshold)
    labels = flood_in_order(*scene, threads=2)
    assert labels is not None
    assert labels.max() > 10
    np.testing.assert_array_equal(labels, scene.by_scikit_image())


def test_scikit_image_is_asked_where_equal_markers_compete(
    caplog: pytest.LogCaptureFixture,
) -> None:
    between = np.array([[0.9, 0.5, 0.9]], dtype=np.float32)
    markers = np.array([[1, 0, 2]], dtype=np.int32)
    scene = Scene(between, markers, np.ones((1, 3), dtype=np.bool_))
    assert flood_in_order(*scene, threads=1) is None
    with caplog.at_level("DEBUG", logger="samcell_live.segmentation.flood"):
        assert flood(*scene).tolist() == scene.by_scikit_image().tolist()
    assert "flooded by scikit-image" in caplog.text


def test_equal_markers_that_do_not_meet_need_no_help() -> None:
    apart = np.array([[0.9, 0.5, 0.4, 0.6, 0.9]], dtype=np.float32)
    markers = np.array([[1, 0, 0, 0, 2]], dtype=np.int32)
    labels = flood_in_order(apart, markers, apart > 0, threads=1)
    assert labels is not None
    assert labels.tolist() == [[1, 1, 2, 2, 2]]


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_any_number_of_threads_gives_the_same(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = dense_scene()
    scene = scene._replace(mask=scene.distance > 0.2)  # many components
    alone = flood_in_order(*scene, threads=1)
    monkeypatch.setattr(samcell_live.segmentation.flood, "PIXELS_PER_THREAD", 1)
    assert alone is not None
    together = flood_in_order(*scene, threads=threads)
    assert together is not None
    np.testing.assert_array_equal(together, alone)


def test_several_images_may_be_flooded_at_once() -> None:
    many = [smooth_scene(seed, side=128) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda scene: flood(*scene, threads=2), many))
    for labels, scene in zip(found, many, strict=True):
        np.testing.assert_array_equal(labels, scene.by_scikit_image())


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1)])
def test_an_image_without_a_mask_has_no_labels(shape: tuple[int, int]) -> None:
    nothing = np.zeros(shape, dtype=np.float32)
    labels = flood(nothing, np.ones(shape, dtype=np.int32), nothing > 0)
    assert labels.shape == shape
    assert not labels.any()


def test_views_of_larger_arrays_are_flooded_like_their_copies() -> None:
    scene = smooth_scene(5)
    views = Scene(
        np.repeat(scene.distance, 2, axis=1)[:, ::2],
        np.repeat(scene.markers, 2, axis=1)[:, ::2],
        np.repeat(scene.mask, 2, axis=1)[:, ::2],
    )
    np.testing.assert_array_equal(flood(*views), flood(*scene))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mask": np.ones((3, 2), dtype=np.bool_)}, r"mask is \(3, 2\).*the same"),
        ({"distance": np.zeros((2, 3))}, "float64.*give float32"),
        ({"markers": np.array([[0, 0, -1]] * 2)}, "int64 from -1 to 0.*integers from 0"),
        ({"markers": np.full((2, 3), 2**31)}, "to 2147483648; give integers"),
        ({"markers": np.zeros((2, 3))}, "markers are float64"),
    ],
)
def test_input_of_another_kind_is_refused(
    change: dict[str, np.ndarray[tuple[int, int], np.dtype[np.generic]]], said: str
) -> None:
    zero = np.zeros((2, 3), dtype=np.float32)
    scene = Scene(zero, zero.astype(np.int32), zero == 0)
    with pytest.raises(ValueError, match=said):
        flood(**(scene._asdict() | change))


def test_more_pixels_than_can_be_numbered_are_refused() -> None:
    vast = np.broadcast_to(np.float32(0), (50_000, 50_000))
    with pytest.raises(ValueError, match=r"2500000000 pixels.*Cut it"):
        flood(vast, vast.view(np.int32), np.broadcast_to(np.True_, vast.shape))
