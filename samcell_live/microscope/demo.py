"""The experiment that ``samcell-live demo`` runs."""

from __future__ import annotations

from useq import MDASequence, WellPlatePlan

from samcell_live.settings import AnalysisSettings, RunSettings, SimulatedMicroscope

SCAN_INTERVAL_S = 3.0
CULTURE_HOURS_PER_SCAN = 2.0
CULTURE_HOURS = 72.0


def demo_settings() -> RunSettings:
    """Describe three days of a six-well plate in under two minutes.

    The same as ``acquisition_configs/demo.yaml``; here as well, because the installed
    package carries no configuration files.
    """
    wells = WellPlatePlan(
        plate="6-well",
        a1_center_xy=(0.0, 0.0),
        selected_wells=([0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2]),
    )
    scans = int(CULTURE_HOURS / CULTURE_HOURS_PER_SCAN) + 1
    return RunSettings(
        name="demo",
        microscope=SimulatedMicroscope(
            well_pitch_um=39_120.0,
            speed=CULTURE_HOURS_PER_SCAN * 3600 / SCAN_INTERVAL_S,
        ),
        sequence=MDASequence(
            stage_positions=wells,
            channels=["phase"],
            time_plan={"interval": SCAN_INTERVAL_S, "loops": scans},
            axis_order="tpc",
        ),
        analysis=AnalysisSettings(channel="phase"),
    )
