"""Acquired, analysed and read back: runs with more than one frame per place and time."""

import threading
from pathlib import Path

import numpy as np
import pytest
from useq import MDAEvent, MDASequence

import samcell_live
from samcell_live.microscope.experiment import run_experiment
from samcell_live.microscope.simulated import simulated_core
from samcell_live.records import FrameKey
from samcell_live.settings import AnalysisSettings, RunSettings, SimulatedMicroscope
from samcell_live.store import layout
from samcell_live.store.arrays import open_array
from samcell_live.store.channels import cells_in_all_channels
from samcell_live.store.check import check_store
from samcell_live.store.frames import frame_file
from samcell_live.store.reader import RunReader

MICROSCOPE = SimulatedMicroscope(
    image_height_px=128, image_width_px=128, seeding_density_per_mm2=900
)


def test_events_that_are_made_up_are_analysed_to_the_last(tmp_path: Path) -> None:
    core = simulated_core(MICROSCOPE)
    events = (MDAEvent(index={"t": t, "p": p}) for t in range(3) for p in range(2))
    with samcell_live.monitor(core, tmp_path / "run.ome.zarr") as monitor:
        core.run_mda(events, block=True)
    core.unloadAllDevices()
    assert monitor.errors == []
    reader = RunReader(tmp_path / "run.ome.zarr")
    assert reader.counts("cells") == (6, 6, 0, 6, 0, 0)
    for array in (layout.raw("0"), layout.labels("0", "cells")):
        assert open_array(reader.path / array).shape[0] == 3
    assert check_store(reader.path) == []


def test_a_spill_of_stacks_in_two_channels_is_empty_in_the_end(tmp_path: Path) -> None:
    sequence = MDASequence(
        stage_positions=[(0, 0)],
        channels=["nuclei", "phase"],
        z_plan={"range": 20, "step": 10},
        time_plan={"interval": 0, "loops": 2},
    )
    settings = RunSettings(
        microscope=MICROSCOPE,
        sequence=sequence,
        analysis=AnalysisSettings(channel="phase", plane="sharpest"),
        raw="spill",
    )
    for _ in run_experiment(settings, tmp_path / "run", threading.Event()):
        pass
    reader = RunReader(tmp_path / "run")
    assert reader.counts("cells") == (12, 12, 0, 12, 0, 0)
    assert reader.removed().all()
    assert not any(
        frame_file(reader.path, reader.plan, key).exists()
        for key in reader.plan.shape.all_keys()
    )
    assert check_store(reader.path) == []
    series = reader.series("cells")
    found = series[series["cell_count"].notna()]
    assert found[["c", "z"]].values.tolist() == [[1, 2], [1, 2]]
    assert found["plane"].tolist() == [1, 1]  # in focus at 0
    cells = cells_in_all_channels(reader, FrameKey(t=1), "cells")
    assert len(cells) == found["cell_count"].iloc[1] > 0
    assert cells["mean_counts_nuclei"].notna().all()
    assert not np.allclose(cells["mean_counts_nuclei"], cells["mean_counts"])
    with pytest.raises(OSError, match="was not kept"):
        reader.picture(FrameKey(c=1, z=2), "cells")
