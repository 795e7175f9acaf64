"""Whether a run will keep up, from its plan and the speeds of the computer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import plan
from useq import MDASequence

from samcell_live.doctor.verdict import Speeds, judge
from samcell_live.doctor.workload import Workload, done_s, most_waiting, plan_workload
from samcell_live.records import RunShape

GB = 10**9
FAST = Speeds(disk_s_per_frame=0.01, worker_s_per_frame=0.1, free_bytes=1000 * GB)


def workload(sequence: MDASequence, shape: RunShape, **changes: Any) -> Workload:
    return plan_workload(list(sequence), plan(shape, **changes))


def scans(
    n: int, interval_s: float, *, positions: int = 1, exposure: float = 10
) -> Workload:
    sequence = MDASequence(
        axis_order="tpc",
        stage_positions=[(place, 0) for place in range(positions)],
        channels=[{"config": "phase", "exposure": exposure}],
        time_plan={"interval": interval_s, "loops": n},
    )
    return workload(sequence, RunShape(t=n, p=positions))


def test_frames_come_when_they_are_due_one_exposure_after_another() -> None:
    work = scans(2, 60, positions=3, exposure=1000)
    assert work.arrival_s.tolist() == [1, 2, 3, 61, 62, 63]
    assert work.interval_s == 60
    assert work.planned_end_s == 60


def test_time_starts_again_at_each_position_that_is_imaged_for_itself() -> None:
    sequence = MDASequence(
        axis_order="ptc",
        stage_positions=[(0, 0), (1, 0)],
        channels=[{"config": "phase", "exposure": 1000}],
        time_plan={"interval": 10, "loops": 2},
    )
    work = workload(sequence, RunShape(t=2, p=2))
    assert work.arrival_s.tolist() == [1, 11, 12, 22]
    assert work.interval_s == 10


def test_only_the_channel_with_the_cells_is_work_for_the_model() -> None:
    sequence = MDASequence(
        channels=["phase", "nuclei"], time_plan={"interval": 60, "loops": 2}
    )
    work = workload(sequence, RunShape(t=2, c=2), segment_c=1)
    assert work.is_segmented.tolist() == [False, True, False, True]


def test_work_that_is_not_done_waits_for_what_came_before() -> None:
    ready = np.array([0.0, 0.0, 0.0, 10.0])
    finished = done_s(ready, 2.0)
    assert finished.tolist() == [2, 4, 6, 12]
    assert most_waiting(ready, finished) == 3


def test_a_run_with_time_to_spare_keeps_up() -> None:
    verdict = judge(scans(10, 60, positions=4), FAST, budget_bytes=GB)
    assert verdict.keeps_up is True
    assert verdict.sentence == (
        "This run will keep up: 40 frames in 9 min, all analysed 370 ms after the last."
    )
    assert {finding.status for finding in verdict.findings} == {"ok"}


def test_a_slow_model_falls_behind_by_what_it_does_not_get_done() -> None:
    # 61 scans of 2 frames in an hour; 40 s each: of 122 frames about 90 are done by then.
    slow = Speeds(0.01, 40.0, 1000 * GB)
    verdict = judge(scans(61, 60, positions=2), slow, budget_bytes=GB)
    assert verdict.keeps_up is False
    assert verdict.sentence == (
        "This run will not keep up: the analysis takes 40 s a frame on 122 frames; falls "
        "behind by 32 frames per hour; all analysed 21.3 min after its end."
    )


def test_a_model_that_is_just_fast_enough_keeps_up() -> None:
    just = Speeds(0.01, 30.0, 1000 * GB)
    assert judge(scans(61, 60, positions=2), just, budget_bytes=GB).keeps_up is True


def test_a_single_scan_is_analysed_after_it_and_is_no_failure() -> None:
    work = workload(MDASequence(channels=["phase"]), RunShape())
    verdict = judge(work, Speeds(0.01, 500.0, 1000 * GB), budget_bytes=GB)
    assert verdict.keeps_up is True
    assert "all analysed 8.33 min after the last" in verdict.sentence
    assert verdict.findings[0].found == "one scan of 1 frames"


def test_a_burst_that_memory_cannot_hold_makes_the_camera_wait() -> None:
    work = scans(2, 600, positions=100)
    slow_disk = Speeds(1.0, 0.1, 1000 * GB)
    roomy = judge(work, slow_disk, budget_bytes=100 * work.frame_bytes)
    narrow = judge(work, slow_disk, budget_bytes=50 * work.frame_bytes)
    assert roomy.keeps_up is True
    assert narrow.keeps_up is False
    assert "so that the camera waits" in narrow.sentence


def test_exposures_that_take_longer_than_the_interval_are_said_first() -> None:
    verdict = judge(scans(10, 1, positions=4, exposure=1000), FAST, budget_bytes=GB)
    assert verdict.keeps_up is False
    assert verdict.sentence.startswith(
        "This run will not keep up: exposures alone put the last scan 31 s behind its plan"
    )


@pytest.mark.parametrize(
    ("free_share", "status"), [(0.9, "fail"), (1.1, "warn"), (2.0, "ok")]
)
def test_the_run_has_to_fit_on_the_disk_with_its_results(
    free_share: float, status: str
) -> None:
    work = scans(10, 60)
    pixels = 24 * 32 * 10
    assert work.total_bytes == pytest.approx(pixels * 2.07)
    speeds = Speeds(0.01, 0.1, work.total_bytes * free_share)
    verdict = judge(work, speeds, budget_bytes=GB)
    (space,) = (f for f in verdict.findings if f.name == "space against the plan")
    assert space.status == status
    assert (verdict.keeps_up is False) == (status == "fail")


def test_what_was_not_measured_is_not_known() -> None:
    nan = float("nan")
    verdict = judge(scans(10, 60), Speeds(0.01, nan, 1000 * GB), budget_bytes=GB)
    assert verdict.keeps_up is None
    assert verdict.sentence == (
        "Whether this run will keep up is not known: the model was not measured."
    )
