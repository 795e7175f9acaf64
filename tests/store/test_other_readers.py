"""Programs that know nothing of us open what we write."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray
import yaozarrs
import zarr
from builders import acquired_run, commit_cells, frame, plan, results_of, squares

from samcell_live.records import FrameKey, RunShape

RUNS = {
    "plate": (RunShape(t=3, p=2), True),
    "positions": (RunShape(t=3, p=2), False),
    "channels and planes": (RunShape(t=2, p=1, c=2, z=3), False),
}
N_SEGMENTED = {"plate": 6, "positions": 6, "channels and planes": 2}


@pytest.fixture(params=RUNS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(kind: str, tmp_path: Path) -> Path:
    shape, plate = RUNS[kind]
    path = tmp_path / "run.ome.zarr"
    run_plan = plan(shape, plate=plate)
    acquired_run(path, run_plan)
    results = results_of(path, run_plan)
    for key in run_plan.shape.all_keys():
        if run_plan.is_segmented(key):
            commit_cells(results, key, n_cells=1 + key.t)
    return path


def test_yaozarrs_finds_the_metadata_valid(run: Path) -> None:
    yaozarrs.validate_zarr_store(str(run))
    for labels in run.glob("**/labels/cells"):
        yaozarrs.validate_zarr_store(str(labels))


def test_ome_zarr_models_finds_every_group_valid(run: Path) -> None:
    from ome_zarr_models import v05

    root = zarr.open_group(run, mode="r")
    if "plate" in root.attrs["ome"]:  # type: ignore[operator]
        v05.HCS.from_zarr(root)
        done = subprocess.run(
            [Path(sys.executable).with_name("ome-zarr-models"), "validate", run],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    else:
        v05.BioFormats2Raw.from_zarr(root)
    for labels in run.glob("**/labels/cells"):
        v05.Image.from_zarr(zarr.open_group(labels.parents[1], mode="r"))
        v05.ImageLabel.from_zarr(zarr.open_group(labels, mode="r"))


def test_zarr_reads_pixels_and_labels(run: Path) -> None:
    image = min(path.parents[1] for path in run.glob("**/labels/cells"))
    pixels = zarr.open_array(image / "0", mode="r")
    labels = zarr.open_array(image / "labels" / "cells" / "0", mode="r")
    assert pixels.shape[0] == labels.shape[0]
    assert pixels.shape[-2:] == labels.shape[-2:]
    assert np.array_equal(np.squeeze(labels[1]), squares(2))
    assert np.array_equal(
        pixels[(1, *[0] * (pixels.ndim - 3))], frame(FrameKey(t=1)).pixels
    )


def test_xarray_and_pandas_read_the_growth_series(run: Path, kind: str) -> None:
    frames = xarray.open_zarr(run / "samcell" / "frames", consolidated=False)
    series = xarray.open_zarr(
        run / "samcell" / "analyses" / "cells" / "series", consolidated=False
    )
    table = xarray.merge([frames, series]).to_dataframe()
    done = table[table["committed"] == 1]
    assert (done["cell_count"] == 1 + done["t"]).all()
    assert len(done) == N_SEGMENTED[kind]


def test_napari_ome_zarr_opens_image_and_labels(run: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of napari's own making
        from napari_ome_zarr._reader import napari_get_reader

        read = napari_get_reader(str(run))
        assert read is not None
        layers = read(str(run))
    kinds = [layer[2] for layer in layers]
    assert "image" in kinds
    assert "labels" in kinds
    for data, _, kind in layers:
        top = np.asarray(data[0] if isinstance(data, list) else data)
        assert (top.max() > 10) == (kind == "image")
