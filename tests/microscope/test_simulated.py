"""The simulated microscope acquires like any other, and what it shows is known."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import useq
from pymmcore_plus.experimental.unicore import UniMMCore

from samcell_live.microscope.simulated import culture_hours, culture_of, simulated_core
from samcell_live.records import FrameKey, Pixels
from samcell_live.settings import SimulatedMicroscope
from samcell_live.simulation.rendering import CHANNELS, Channel, render_field

SETTINGS = SimulatedMicroscope(
    seed=5, image_height_px=60, image_width_px=80, speed=360_000, pixel_size_um=0.65
)

PHOTOGRAPHED: tuple[Channel, ...] = ("phase", "nuclei")


class Album:
    """Keeps all frames of a run."""

    def __init__(self) -> None:
        self.frames: dict[FrameKey, tuple[Pixels, useq.MDAEvent, Any]] = {}

    def keep(self, image: Pixels, event: useq.MDAEvent, meta: Any) -> None:
        self.frames[FrameKey.from_index(event.index)] = (image.copy(), event, meta)


@pytest.fixture
def core() -> Iterator[UniMMCore]:
    core = simulated_core(SETTINGS)
    yield core
    core.unloadAllDevices()


def acquired(core: UniMMCore, sequence: useq.MDASequence) -> Album:
    album = Album()
    core.mda.events.frameReady.connect(album.keep)
    core.run_mda(sequence, block=True)
    core.mda.events.frameReady.disconnect(album.keep)
    return album


def sequence(**changes: Any) -> useq.MDASequence:
    plan = {
        "stage_positions": [(0, 0, 0), (9000, 100, 5)],
        "time_plan": {"interval": 0.05, "loops": 3},
        "channels": [
            {"config": "phase", "exposure": 10},
            {"config": "nuclei", "exposure": 50},
        ],
        "z_plan": {"range": 4, "step": 2},
    }
    return useq.MDASequence(**plan | changes)


def test_it_needs_no_micro_manager_and_says_nothing_of_it() -> None:
    script = """
        import sys
        sys.modules["mm_test_adapters"] = None  # not installed, as with users
        from samcell_live.microscope.simulated import simulated_core
        from samcell_live.settings import SimulatedMicroscope
        simulated_core(SimulatedMicroscope()).unloadAllDevices()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    # pymmcore-plus keeps silent where this is set.
    spoken = {name: value for name, value in os.environ.items() if name != "PYTEST_RUNNING"}
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=spoken)

    assert ended.stderr == ""


def test_every_frame_is_the_culture_at_its_place_and_hour(core: UniMMCore) -> None:
    album = acquired(core, sequence())
    culture = culture_of(SETTINGS)
    assert len(album.frames) == 3 * 2 * 2 * 3
    for key, (image, event, _) in album.frames.items():
        x_um, y_um, z_um = event.x_pos or 0.0, event.y_pos or 0.0, event.z_pos or 0.0
        expected = render_field(
            culture,
            x_um,
            y_um,
            z_um,
            culture_hours(SETTINGS, 0.05 * key.t),
            shape_px=(60, 80),
            pixel_size_um=0.65,
            channel=PHOTOGRAPHED[key.c],
            exposure_ms=event.exposure,
        )
        assert np.array_equal(image, expected), key


def test_frames_say_where_and_how_they_were_taken(core: UniMMCore) -> None:
    album = acquired(core, sequence())
    _, event, meta = album.frames[FrameKey(t=1, p=1, c=1, z=2)]
    assert meta["pixel_size_um"] == 0.65
    assert meta["exposure_ms"] == 50
    assert meta["position"] == {"x": 9000, "y": 100, "z": 7}
    assert event.min_start_time == pytest.approx(0.05)


def test_two_runs_bring_the_same_frames() -> None:
    first, second = (
        acquired(simulated_core(SETTINGS), sequence()).frames for _ in range(2)
    )
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[key][0], second[key][0]) for key in first)


def test_bursts_bring_every_frame(core: UniMMCore) -> None:
    burst = sequence(
        stage_positions=[(300, 200)],
        z_plan=None,
        channels=["phase"],
        time_plan={"interval": 0, "loops": 6},
    )
    album = acquired(core, burst)
    assert [key.t for key in album.frames] == list(range(6))
    assert all(meta["hardware_triggered"] for _, _, meta in album.frames.values())
    assert all(meta["position"]["x"] == 300 for _, _, meta in album.frames.values())


def test_outside_a_run_the_culture_is_just_seeded(core: UniMMCore) -> None:
    before = core.snap()
    acquired(core, sequence(stage_positions=[(0, 0, 0)], z_plan=None, channels=["phase"]))
    core.setExposure(10)
    assert np.array_equal(core.snap(), before)


def test_the_core_is_calibrated_and_has_two_channels(core: UniMMCore) -> None:
    assert core.getPixelSizeUm() == 0.65
    assert (core.getImageHeight(), core.getImageWidth()) == (60, 80)
    assert set(core.getAvailableConfigs(core.getChannelGroup())) == set(CHANNELS)
    assert core.getCurrentConfig("Channel") == "phase"


def test_a_region_of_interest_is_cut_out_of_the_field(core: UniMMCore) -> None:
    whole = core.snap()
    core.setROI(10, 20, 30, 25)
    assert np.array_equal(core.snap(), whole[20:45, 10:40])


def test_the_stages_can_be_zeroed_and_sent_home(core: UniMMCore) -> None:
    core.setXYPosition(120, -40)
    core.setZPosition(3)
    core.setOriginXY()
    core.setOrigin()
    assert (*core.getXYPosition(), core.getZPosition()) == (0, 0, 0)
    core.setXYPosition(7, 8)
    core.home(core.getXYStageDevice())
    assert tuple(core.getXYPosition()) == (0, 0)


@pytest.mark.slow
def test_the_interpreter_exits_cleanly_after_a_run() -> None:
    """A core that is merely left to the interpreter aborts it now and then."""
    script = textwrap.dedent("""
        from samcell_live.microscope.cores import microscope
        from samcell_live.settings import RunSettings
        settings = RunSettings.model_validate({
            "microscope": {
                "kind": "simulated", "image_height_px": 32, "image_width_px": 32
            },
            "sequence": {"time_plan": {"interval": 0, "loops": 3}},
        })
        with microscope(settings) as core:
            core.run_mda(settings.sequence, block=True)
        del core
    """)
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
