"""A microscope without hardware: a growing culture under a Python camera and stage.

It needs no Micro-Manager adapters. The devices share their state as plain Python
objects and hold no reference to the core, so that the core dies as usual.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pymmcore_plus.experimental.unicore import (
    SimpleCameraDevice,
    StageDevice,
    StateDevice,
    UniMMCore,
    XYStageDevice,
)
from pymmcore_plus.mda import MDAEngine

from samcell_live.microscope.remaining import due_s
from samcell_live.simulation.culture import Culture
from samcell_live.simulation.rendering import CHANNELS, render_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    from pymmcore_plus import CMMCorePlus
    from useq import MDAEvent, MDASequence

    from samcell_live.settings import SimulatedMicroscope

CAMERA, XY_STAGE, Z_STAGE, LIGHT_PATH = "Camera", "XY", "Z", "LightPath"
CHANNEL_GROUP = "Channel"
OBJECTIVE = "simulated 10x"


def simulated_core(settings: SimulatedMicroscope) -> UniMMCore:
    """Build a microscope over a culture, ready to acquire.

    Its channels are the presets ``phase`` and ``nuclei`` of the group ``Channel``. Its
    camera shows the culture at the hour that the running sequence's clock says
    (`culture_hours`), and at seeding when no sequence runs: frames depend on the
    sequence and the settings, and on no wall clock.

    Parameters
    ----------
    settings : SimulatedMicroscope
        Camera, pixel size, and the culture with its seed.

    Returns
    -------
    UniMMCore
        A core of its own, not the process-wide instance.
    """
    xy, z, light_path = _XYStage(), _ZStage(), _LightPath()
    camera = _Camera(settings, xy, z, light_path)
    # Our devices need none of Micro-Manager's, and it would complain if they are not found.
    core = UniMMCore(mm_path=str(Path(__file__).parent))
    for label, device in {
        CAMERA: camera,
        XY_STAGE: xy,
        Z_STAGE: z,
        LIGHT_PATH: light_path,
    }.items():
        core.loadPyDevice(label, device)
        core.initializeDevice(label)
    core.setCameraDevice(CAMERA)
    core.setXYStageDevice(XY_STAGE)
    core.setFocusDevice(Z_STAGE)
    core.setAutoShutter(False)  # there is none
    for channel in CHANNELS:
        core.defineConfig(CHANNEL_GROUP, channel, LIGHT_PATH, "Label", channel)
    core.setChannelGroup(CHANNEL_GROUP)
    core.setConfig(CHANNEL_GROUP, CHANNELS[0])
    core.definePixelSizeConfig(OBJECTIVE)
    core.setPixelSizeUm(OBJECTIVE, settings.pixel_size_um)
    core.register_mda_engine(_CultureEngine(core, camera))
    return core


def culture_of(settings: SimulatedMicroscope) -> Culture:
    """Give the culture under a simulated microscope, to ask it for the truth."""
    return Culture(
        seed=settings.seed,
        doubling_time_h=settings.doubling_time_h,
        seeding_density_per_mm2=settings.seeding_density_per_mm2,
        well_pitch_um=settings.well_pitch_um,
    )


def culture_hours(settings: SimulatedMicroscope, elapsed_s: float) -> float:
    """Convert seconds on the sequence's clock to hours of the culture since seeding.

    Examples
    --------
    >>> from samcell_live.settings import SimulatedMicroscope
    >>> culture_hours(SimulatedMicroscope(speed=3600), 2.5)
    2.5
    """
    return elapsed_s * settings.speed / 3600


class _XYStage(XYStageDevice):
    """A stage that is where it is told to be, at once."""

    def __init__(self) -> None:
        super().__init__()
        self.position_um = (0.0, 0.0)

    def get_position_um(self) -> tuple[float, float]:
        return self.position_um

    def set_position_um(self, x: float, y: float) -> None:
        self.position_um = (x, y)

    def set_origin_x(self) -> None:
        self.position_um = (0.0, self.position_um[1])

    def set_origin_y(self) -> None:
        self.position_um = (self.position_um[0], 0.0)

    def home(self) -> None:
        self.position_um = (0.0, 0.0)

    def stop(self) -> None:
        """It never moves when asked to stop."""


class _ZStage(StageDevice):
    """A focus drive; cells are sharp at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.position_um = 0.0

    def get_position_um(self) -> float:
        return self.position_um

    def set_position_um(self, val: float) -> None:
        self.position_um = val

    def set_origin(self) -> None:
        self.position_um = 0.0

    def home(self) -> None:
        self.position_um = 0.0

    def stop(self) -> None:
        """It never moves when asked to stop."""


class _LightPath(StateDevice):
    """What is put into the light: the phase ring, or the filters for nuclei."""

    def __init__(self) -> None:
        super().__init__(dict(enumerate(CHANNELS)))
        self.place = 0

    def get_state(self) -> int:
        return self.place

    def set_state(self, position: int) -> None:
        self.place = position


class _Camera(SimpleCameraDevice):
    """Photographs the culture where the stages are."""

    def __init__(
        self,
        settings: SimulatedMicroscope,
        xy: _XYStage,
        z: _ZStage,
        light_path: _LightPath,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._culture = culture_of(settings)
        self._xy, self._z, self._light_path = xy, z, light_path
        self._exposure_ms = 10.0
        self.elapsed_s = 0.0
        """On the sequence's clock."""

    def get_exposure(self) -> float:
        return self._exposure_ms

    def set_exposure(self, exposure: float) -> None:
        self._exposure_ms = exposure

    def sensor_shape(self) -> tuple[int, int]:
        return self._settings.image_height_px, self._settings.image_width_px

    def dtype(self) -> type[np.uint16]:
        return np.uint16

    def snap(self, buffer: npt.NDArray[np.uint16]) -> Mapping[str, str]:
        """Fill the buffer. Exposure shows in the counts; nobody waits for it."""
        x_um, y_um = self._xy.position_um
        hours = culture_hours(self._settings, self.elapsed_s)
        buffer[:] = render_field(
            self._culture,
            x_um,
            y_um,
            self._z.position_um,
            hours,
            shape_px=self.sensor_shape(),
            pixel_size_um=self._settings.pixel_size_um,
            channel=CHANNELS[self._light_path.place],
            exposure_ms=self._exposure_ms,
            bits=self._settings.bits,
        )
        return {"culture_hours": f"{hours:.6f}"}


class _CultureEngine(MDAEngine):
    """Tells the camera the time of each event before it is acquired.

    The engine rather than a signal, because a signal may be delivered late: in the
    thread of a Qt window. All frames of a burst have one start time.
    """

    def __init__(self, mmc: CMMCorePlus, camera: _Camera) -> None:
        super().__init__(mmc)
        self.include_frame_position_metadata = True  # in bursts too: these stages are quick
        self._camera = camera

    def setup_event(self, event: MDAEvent) -> None:
        self._camera.elapsed_s = due_s(event)
        super().setup_event(event)

    def teardown_sequence(self, sequence: MDASequence) -> None:
        self._camera.elapsed_s = 0.0
        super().teardown_sequence(sequence)
